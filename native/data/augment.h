// Augmentation of one 8-bit grey image, drawn from Philox keyed by seed, epoch, row and how often the row has come
// in the epoch: the same on every backend and in every resumed run. Order: flip and geometry (bilinear), then brightness
// and contrast, then cut-out (filled with mid-grey). Result in -1..1.
#pragma once
#include <cstdint>

namespace fer {

struct Augmentation {
  float flip = 0, geometric = 0, rotation = 0, shift = 0, zoom = 0;
  float photometric = 0, brightness = 0, contrast = 0, cutout = 0, cutout_size = 0;
  bool black_fill = false;  // what geometry brings in from outside the image: black, or the edge repeated
  float nearest = 0;        // probability that geometry reads the nearest pixel instead of interpolating
};

// Throws Error(ERR_FER_ARGUMENT) for a value out of its range, which no pixel's place could be worked out from.
void check(const Augmentation& augmentation);

// One drawing of a row within an epoch.
struct Variant {
  uint32_t repeat = 0;  // earlier drawings of the row in this epoch
  float strength = 1;   // factor of augmentation's ranges
};

struct AugmentPass {
  Augmentation options;
  uint64_t seed;
  uint32_t epoch;            // where the batch has a step, the step's epoch replaces it
  bool always_flip = false;  // test-time flip: mirror, nothing else
};

// image [size*size] -> out [out_size*out_size], resized bilinearly (half-pixel centres) without rounding to whole
// grey values; `pass` null means resize and normalise only (x / 127.5 - 1).
void augment(const uint8_t* image, int size, uint32_t row, const Variant& variant, const AugmentPass* pass, int out_size, float* out);

}  // namespace fer
