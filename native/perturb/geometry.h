// The sampler that rotation, translation and scale share: every output pixel reads the source where an affine map says.
#pragma once
#include "perturb/perturbation.h"

namespace fer::perturb {

enum class Interpolation { kNearest, kBilinear, kBicubic };  // bicubic: Keys's kernel, a = -0.5, as MATLAB's
enum class Outside { kConstant, kReflect, kEdge };           // reflect: d c b a | a b c d | d c b a

struct Sampling {
  Interpolation interpolation;
  Outside outside;
  uint8_t value;  // of kConstant
};
// From the parameters "interpolation" and "fill".
Sampling to_sampling(const Parameters& parameters);

// Output pixel (x, y) reads the source at (xx x + xy y + x0, yx x + yy y + y0); (0, 0) is the centre of the first pixel.
struct Affine {
  double xx, xy, x0, yx, yy, y0;
};
// The map with that linear part that takes the output's centre to the source's centre, less a shift of the source.
Affine about_centres(double xx, double xy, double yx, double yy, Size out, Size in, double shift_x = 0, double shift_y = 0);

void warp(const Image& in, const Affine& map, const Sampling& sampling, Size out_size, uint8_t* out);

}  // namespace fer::perturb
