#include "data/augment.h"

#include "data/augment_pixel.h"

namespace fer {

void augment(const uint8_t* image, int size, uint32_t row, const Variant& variant, const AugmentPass* pass, int out_size, float* out) {
  const Transform t = pass ? draw_transform(*pass, row, variant, size, out_size) : Transform{};
  double sum = 0;
  for (int y = 0; y < out_size; ++y)
    for (int x = 0; x < out_size; ++x) {
      const float grey = sample(image, size, t, out_size, x, y);
      if (t.lit) sum += grey;
      out[y * out_size + x] = grey;
    }
  const float mean = static_cast<float>(sum / (out_size * out_size));
  for (int y = 0; y < out_size; ++y)
    for (int x = 0; x < out_size; ++x) {
      float& value = out[y * out_size + x];
      value = finished(t.lit ? relit(value, mean, t) : value, t, x, y);
    }
}

}  // namespace fer
