// A shadow over one side of a line; across the line's soft edge the light falls off as a smoothstep.
#include "perturb/perturbation.h"

namespace fer::perturb {
namespace {

constexpr double kDrawnOffset = 0.2;  // the line is drawn within so much of the centre, so that both sides show

class Shadow : public Perturbation {
 public:
  explicit Shadow(const Parameters& p)
      : strength_(p.number("strength", kFraction)),
        softness_(p.number("softness", kFraction)),
        direction_(p.given("direction", kDegrees)),
        offset_(p.given("offset", {-1, 1})) {}

  void apply(const Image& in, const Draws& draws, uint8_t* out) const override {
    const Draw draw = draws(0);
    const Direction to(direction_ ? *direction_ : 360.0 * uniform(draw[0]));
    const double side = in.size.longer(), offset = offset_ ? *offset_ : kDrawnOffset * (2.0 * uniform(draw[1]) - 1.0);
    const double cx = 0.5 * (in.size.width - 1), cy = 0.5 * (in.size.height - 1);
    const uint8_t* pixel = in.pixels;
    for (int y = 0; y < in.size.height; ++y)
      for (int x = 0; x < in.size.width; ++x)
        *out++ = saturate(*pixel++ * (1.0 - strength_ * darkness(((x - cx) * to.x + (y - cy) * to.y) / side - offset)));
  }

 private:
  // 0 in the light, 1 in the shadow; `depth` beyond the line.
  double darkness(double depth) const {
    if (softness_ == 0) return depth > 0 ? 1 : 0;
    const double t = std::clamp(depth / softness_ + 0.5, 0.0, 1.0);
    return t * t * (3 - 2 * t);
  }

  double strength_, softness_;
  std::optional<double> direction_, offset_;
};

}  // namespace

std::unique_ptr<Perturbation> make_shadow(const Parameters& p) { return std::make_unique<Shadow>(p); }

}  // namespace fer::perturb
