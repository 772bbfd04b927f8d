// A shift; its direction is drawn where it is not given.
#include "perturb/geometry.h"

namespace fer::perturb {
namespace {

class Translation : public Perturbation {
 public:
  explicit Translation(const Parameters& p)
      : distance_(p.number("distance", kFraction)), direction_(p.given("direction", kDegrees)), sampling_(to_sampling(p)) {}

  void apply(const Image& in, const Draws& draws, uint8_t* out) const override {
    const Direction to(direction_ ? *direction_ : 360.0 * uniform(draws(0)[0]));
    const double length = distance_ * in.size.longer();
    warp(in, about_centres(1, 0, 0, 1, in.size, in.size, length * to.x, length * to.y), sampling_, in.size, out);
  }

 private:
  double distance_;
  std::optional<double> direction_;
  Sampling sampling_;
};

}  // namespace

std::unique_ptr<Perturbation> make_translation(const Parameters& p) { return std::make_unique<Translation>(p); }

}  // namespace fer::perturb
