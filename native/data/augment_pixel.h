// Augmentation pixel by pixel: the formulas every backend shares. See augment.h for what they mean.
#pragma once
#include <algorithm>
#include <cmath>

#include "base/philox.h"
#include "data/augment.h"

#ifdef __CUDACC__
#define FER_DEVICE __host__ __device__
#else
#define FER_DEVICE
#endif

namespace fer {

// What happens to one image: one draw of the augmentation. The default leaves it as it is.
struct Transform {
  bool mirror = false, moved = false, lit = false, black_fill = false, nearest = false;
  float cosine = 1, sine = 0, inverse_scale = 1, shift_x = 0, shift_y = 0;  // shifts in pixels of the source
  float brightness = 1, contrast = 1;
  int hole_left = 0, hole_top = 0, hole_side = 0;
};

// Uniform in -range..range.
FER_DEVICE inline float symmetric(uint32_t bits, float range) { return (2.f * uniform(bits) - 1.f) * range; }

FER_DEVICE inline Transform draw_transform(const AugmentPass& pass, uint32_t row, const Variant& variant, int size, int out_size) {
  Transform t;
  if (pass.always_flip) {
    t.mirror = true;
    return t;
  }
  const Augmentation& o = pass.options;
  const auto stream = static_cast<uint32_t>(Stream::kAugment);
  const uint32_t first = 4 * variant.repeat;
  const Draw which = philox(pass.seed, {first, row, pass.epoch, stream});
  const Draw geometry = philox(pass.seed, {first + 1, row, pass.epoch, stream});
  const Draw light = philox(pass.seed, {first + 2, row, pass.epoch, stream});
  // A stronger variant stays within what the options themselves may ask for.
  auto range = [&](float value, float most) { return std::min(value * variant.strength, most); };
  t.mirror = uniform(which[0]) < o.flip;
  t.moved = uniform(which[1]) < o.geometric;
  t.black_fill = o.black_fill;
  t.nearest = uniform(light[2]) < o.nearest;
  if (t.moved) {
    const float angle = symmetric(geometry[0], range(o.rotation, 180.f)) * 3.14159265f / 180.f, side = static_cast<float>(size);
    t.cosine = std::cos(angle);
    t.sine = std::sin(angle);
    t.inverse_scale = 1.f / (1.f + symmetric(geometry[1], range(o.zoom, 0.9f)));
    t.shift_x = symmetric(geometry[2], range(o.shift, 1.f)) * side;
    t.shift_y = symmetric(geometry[3], range(o.shift, 1.f)) * side;
  }
  t.lit = uniform(which[2]) < o.photometric;
  t.brightness = 1.f + symmetric(light[0], range(o.brightness, 1.f));
  t.contrast = 1.f + symmetric(light[1], range(o.contrast, 1.f));
  if (uniform(which[3]) < o.cutout) {
    const Draw hole = philox(pass.seed, {first + 3, row, pass.epoch, stream});
    const float side = static_cast<float>(out_size);
    t.hole_side = static_cast<int>(uniform(hole[0]) * range(o.cutout_size, 1.f) * side + 0.5f);
    t.hole_left = static_cast<int>(uniform(hole[1]) * side) - t.hole_side / 2;
    t.hole_top = static_cast<int>(uniform(hole[2]) * side) - t.hole_side / 2;
  }
  return t;
}

// Grey value, 0..255, of output pixel (x, y): bilinear or of the nearest pixel, half-pixel centres; beyond half a pixel outside, the fill.
FER_DEVICE inline float sample(const uint8_t* image, int size, const Transform& t, int out_size, int x, int y) {
  if (!t.moved && size == out_size) return image[y * size + (t.mirror ? size - 1 - x : x)];
  const float centre = 0.5f * static_cast<float>(size - 1), last = static_cast<float>(size - 1);
  const float out_centre = 0.5f * static_cast<float>(out_size - 1), ratio = static_cast<float>(size) / static_cast<float>(out_size);
  const float dy = (static_cast<float>(y) - out_centre) * ratio - t.shift_y, from_centre = (static_cast<float>(x) - out_centre) * ratio;
  const float dx = (t.mirror ? -from_centre : from_centre) - t.shift_x;
  float sx = (t.cosine * dx - t.sine * dy) * t.inverse_scale + centre, sy = (t.sine * dx + t.cosine * dy) * t.inverse_scale + centre;
  if (t.black_fill && (std::min(sx, sy) < -0.5f || std::max(sx, sy) > last + 0.5f)) return 0.f;
  sx = std::clamp(sx, 0.f, last);
  sy = std::clamp(sy, 0.f, last);
  if (t.nearest) return image[static_cast<int>(sy + 0.5f) * size + static_cast<int>(sx + 0.5f)];
  const int x0 = static_cast<int>(sx), y0 = static_cast<int>(sy);
  const int x1 = std::min(x0 + 1, size - 1), y1 = std::min(y0 + 1, size - 1);
  const float fx = sx - static_cast<float>(x0), fy = sy - static_cast<float>(y0);
  const float top = image[y0 * size + x0] + fx * (image[y0 * size + x1] - image[y0 * size + x0]);
  const float bottom = image[y1 * size + x0] + fx * (image[y1 * size + x1] - image[y1 * size + x0]);
  return top + fy * (bottom - top);
}

// Brightness and contrast, for images with `lit`; `mean` is of the sampled image.
FER_DEVICE inline float relit(float grey, float mean, const Transform& t) {
  return std::clamp(((grey - mean) * t.contrast + mean) * t.brightness, 0.f, 255.f);
}

// 0..255 -> -1..1.
FER_DEVICE inline float normalised(float grey) { return grey * (1.f / 127.5f) - 1.f; }

// The network's input at (x, y): the cut-out's mid-grey, or the grey value scaled to -1..1.
FER_DEVICE inline float finished(float grey, const Transform& t, int x, int y) {
  const bool cut = x >= t.hole_left && x < t.hole_left + t.hole_side && y >= t.hole_top && y < t.hole_top + t.hole_side;
  return cut ? 0.f : normalised(grey);
}

}  // namespace fer
