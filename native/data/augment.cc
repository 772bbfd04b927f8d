#include "data/augment.h"

#include "base/error.h"
#include "data/augment_pixel.h"

namespace fer {

void check(const Augmentation& a) {
  struct Entry {
    const char* name;
    float value, most;
  };
  for (const auto& [name, value, most] :
       {Entry{"flip", a.flip, 1}, Entry{"geometric", a.geometric, 1}, Entry{"rotation", a.rotation, 180}, Entry{"shift", a.shift, 1},
        Entry{"zoom", a.zoom, 0.9f}, Entry{"photometric", a.photometric, 1}, Entry{"brightness", a.brightness, 1}, Entry{"contrast", a.contrast, 1},
        Entry{"cutout", a.cutout, 1}, Entry{"cutoutSize", a.cutout_size, 1}, Entry{"nearest", a.nearest, 1}})
    if (!(value >= 0 && value <= most))  // not a number is out of every range
      throw Error("ERR_FER_ARGUMENT", "expected a number from 0 to " + std::to_string(most) + ", got " + std::to_string(value) + ", for " + name);
}

void augment(const uint8_t* image, int size, uint32_t row, const Variant& variant, const AugmentPass* pass, int out_size, float* out) {
  if (!pass && size == out_size) {  // as most predictions have it
    for (int i = 0; i < size * size; ++i) out[i] = normalised(image[i]);
    return;
  }
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
