#include "perturb/geometry.h"

namespace fer::perturb {
namespace {

// Decides ties alike, whatever rounding cos and sin brought: half a pixel goes right and down.
constexpr double kTie = 1e-9;

int reflected(int i, int n) {
  const int period = 2 * n;
  i %= period;
  if (i < 0) i += period;
  return i < n ? i : period - 1 - i;
}

// The image continued over the whole plane.
template <Outside kOutside>
struct Plane {
  const Image& in;
  uint8_t value;

  uint8_t operator()(int x, int y) const {
    const auto [width, height] = in.size;
    if (x < 0 || y < 0 || x >= width || y >= height) {
      if constexpr (kOutside == Outside::kConstant) return value;
      else if constexpr (kOutside == Outside::kReflect) x = reflected(x, width), y = reflected(y, height);
      else x = std::clamp(x, 0, width - 1), y = std::clamp(y, 0, height - 1);
    }
    return in.pixels[static_cast<size_t>(y) * width + x];
  }
};

template <class Plane>
uint8_t nearest(const Plane& plane, double x, double y) {
  return plane(floor_to_int(x + 0.5 + kTie), floor_to_int(y + 0.5 + kTie));
}

template <class Plane>
uint8_t bilinear(const Plane& plane, double x, double y) {
  const int x0 = floor_to_int(x), y0 = floor_to_int(y);
  const double fx = x - x0, fy = y - y0;
  const double upper = plane(x0, y0) * (1 - fx) + plane(x0 + 1, y0) * fx;
  const double lower = plane(x0, y0 + 1) * (1 - fx) + plane(x0 + 1, y0 + 1) * fx;
  return saturate(upper * (1 - fy) + lower * fy);
}

void cubic_weights(double f, double weights[4]) {
  constexpr double a = -0.5;
  auto near = [](double t) { return ((a + 2) * t - (a + 3)) * t * t + 1; };
  auto far = [](double t) { return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a; };
  weights[0] = far(1 + f);
  weights[1] = near(f);
  weights[2] = near(1 - f);
  weights[3] = far(2 - f);
}

template <class Plane>
uint8_t bicubic(const Plane& plane, double x, double y) {
  const int x0 = floor_to_int(x), y0 = floor_to_int(y);
  double across[4], down[4], sum = 0;
  cubic_weights(x - x0, across);
  cubic_weights(y - y0, down);
  for (int j = 0; j < 4; ++j) {
    double line = 0;
    for (int i = 0; i < 4; ++i) line += across[i] * plane(x0 - 1 + i, y0 - 1 + j);
    sum += down[j] * line;
  }
  return saturate(sum);
}

template <Outside kOutside>
void warp_over(const Image& in, const Affine& m, const Sampling& sampling, Size size, uint8_t* out) {
  const Plane<kOutside> plane{in, sampling.value};
  auto each = [&](auto&& sample) {
    for (int y = 0; y < size.height; ++y)
      for (int x = 0; x < size.width; ++x) *out++ = sample(plane, m.xx * x + m.xy * y + m.x0, m.yx * x + m.yy * y + m.y0);
  };
  switch (sampling.interpolation) {
    case Interpolation::kNearest:
      return each([](const auto& p, double x, double y) { return nearest(p, x, y); });
    case Interpolation::kBilinear:
      return each([](const auto& p, double x, double y) { return bilinear(p, x, y); });
    case Interpolation::kBicubic:
      return each([](const auto& p, double x, double y) { return bicubic(p, x, y); });
  }
}

}  // namespace

Sampling to_sampling(const Parameters& parameters) {
  Sampling sampling{Interpolation::kNearest, Outside::kConstant, 0};
  const std::string name = parameters.word("interpolation");
  if (name == "bilinear") sampling.interpolation = Interpolation::kBilinear;
  else if (name == "bicubic") sampling.interpolation = Interpolation::kBicubic;
  else if (name != "nearest") throw Error("ERR_FER_ARGUMENT", "expected nearest, bilinear or bicubic, got " + name + ", for interpolation");
  if (const auto value = parameters.given("fill", kGreys)) sampling.value = saturate(*value);
  else if (const std::string fill = parameters.word("fill"); fill == "reflect") sampling.outside = Outside::kReflect;
  else if (fill == "edge") sampling.outside = Outside::kEdge;
  else throw Error("ERR_FER_ARGUMENT", "expected a grey value, reflect or edge, got " + fill + ", for fill");
  return sampling;
}

Affine about_centres(double xx, double xy, double yx, double yy, Size out, Size in, double shift_x, double shift_y) {
  const double ox = 0.5 * (out.width - 1), oy = 0.5 * (out.height - 1);
  return {xx, xy, 0.5 * (in.width - 1) - xx * ox - xy * oy - shift_x, yx, yy, 0.5 * (in.height - 1) - yx * ox - yy * oy - shift_y};
}

void warp(const Image& in, const Affine& map, const Sampling& sampling, Size out_size, uint8_t* out) {
  switch (sampling.outside) {
    case Outside::kConstant:
      return warp_over<Outside::kConstant>(in, map, sampling, out_size, out);
    case Outside::kReflect:
      return warp_over<Outside::kReflect>(in, map, sampling, out_size, out);
    case Outside::kEdge:
      return warp_over<Outside::kEdge>(in, map, sampling, out_size, out);
  }
}

}  // namespace fer::perturb
