#include "core/augment.h"

#include <algorithm>
#include <cmath>

#include "core/philox.h"

namespace fer {
namespace {

float normalise(float grey) { return grey * (1.f / 127.5f) - 1.f; }

// Uniform in -range..range.
float symmetric(uint32_t bits, float range) { return (2.f * uniform(bits) - 1.f) * range; }

// Shifts in pixels of the source.
struct Geometry {
  float cosine = 1, sine = 0, inverse_scale = 1, shift_x = 0, shift_y = 0;
};

// Bilinear, half-pixel centres, edges repeated.
void resample(const uint8_t* image, int size, const Geometry& g, bool mirror, int out_size, float* out) {
  const float centre = 0.5f * static_cast<float>(size - 1), last = static_cast<float>(size - 1);
  const float out_centre = 0.5f * static_cast<float>(out_size - 1), ratio = static_cast<float>(size) / static_cast<float>(out_size);
  for (int y = 0; y < out_size; ++y) {
    const float dy = (static_cast<float>(y) - out_centre) * ratio - g.shift_y;
    for (int x = 0; x < out_size; ++x) {
      const float from_centre = (static_cast<float>(x) - out_centre) * ratio;
      const float dx = (mirror ? -from_centre : from_centre) - g.shift_x;
      const float sx = std::clamp((g.cosine * dx - g.sine * dy) * g.inverse_scale + centre, 0.f, last);
      const float sy = std::clamp((g.sine * dx + g.cosine * dy) * g.inverse_scale + centre, 0.f, last);
      const int x0 = static_cast<int>(sx), y0 = static_cast<int>(sy);
      const int x1 = std::min(x0 + 1, size - 1), y1 = std::min(y0 + 1, size - 1);
      const float fx = sx - static_cast<float>(x0), fy = sy - static_cast<float>(y0);
      const float top = image[y0 * size + x0] + fx * (image[y0 * size + x1] - image[y0 * size + x0]);
      const float bottom = image[y1 * size + x0] + fx * (image[y1 * size + x1] - image[y1 * size + x0]);
      out[y * out_size + x] = top + fy * (bottom - top);
    }
  }
}

// Brings the image to its new size without moving it.
void copy(const uint8_t* image, int size, bool mirror, int out_size, float* out) {
  if (size != out_size) return resample(image, size, {}, mirror, out_size, out);
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) out[y * size + x] = image[y * size + (mirror ? size - 1 - x : x)];
}

}  // namespace

void augment(const uint8_t* image, int size, uint32_t row, const AugmentPass* pass, int out_size, float* out) {
  const int pixels = out_size * out_size;
  if (!pass || pass->always_flip) {
    copy(image, size, pass != nullptr, out_size, out);
    for (int i = 0; i < pixels; ++i) out[i] = normalise(out[i]);
    return;
  }

  const Augmentation& o = pass->options;
  const auto stream = static_cast<uint32_t>(Stream::kAugment);
  const Draw which = philox(pass->seed, {0, row, pass->epoch, stream});
  const Draw geometry = philox(pass->seed, {1, row, pass->epoch, stream});
  const Draw light = philox(pass->seed, {2, row, pass->epoch, stream});

  const bool mirror = uniform(which[0]) < o.flip;
  if (uniform(which[1]) < o.geometric) {
    const float angle = symmetric(geometry[0], o.rotation) * 3.14159265f / 180.f;
    const float scale = 1.f + symmetric(geometry[1], o.zoom);
    const float side = static_cast<float>(size);
    const Geometry moved{std::cos(angle), std::sin(angle), 1.f / scale, symmetric(geometry[2], o.shift) * side, symmetric(geometry[3], o.shift) * side};
    resample(image, size, moved, mirror, out_size, out);
  } else {
    copy(image, size, mirror, out_size, out);
  }

  if (uniform(which[2]) < o.photometric) {
    const float brightness = 1.f + symmetric(light[0], o.brightness), contrast = 1.f + symmetric(light[1], o.contrast);
    double sum = 0;
    for (int i = 0; i < pixels; ++i) sum += out[i];
    const float mean = static_cast<float>(sum / pixels);
    for (int i = 0; i < pixels; ++i) out[i] = std::clamp(((out[i] - mean) * contrast + mean) * brightness, 0.f, 255.f);
  }
  for (int i = 0; i < pixels; ++i) out[i] = normalise(out[i]);

  if (uniform(which[3]) < o.cutout) {
    const Draw hole = philox(pass->seed, {3, row, pass->epoch, stream});
    const int side = static_cast<int>(uniform(hole[0]) * o.cutout_size * static_cast<float>(out_size) + 0.5f);
    const int left = static_cast<int>(uniform(hole[1]) * static_cast<float>(out_size)) - side / 2;
    const int top = static_cast<int>(uniform(hole[2]) * static_cast<float>(out_size)) - side / 2;
    for (int y = std::max(top, 0); y < std::min(top + side, out_size); ++y)
      for (int x = std::max(left, 0); x < std::min(left + side, out_size); ++x) out[y * out_size + x] = 0.f;
  }
}

}  // namespace fer
