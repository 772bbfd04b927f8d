// Rotation about the centre, counter-clockwise, as MATLAB's imrotate.
#include "perturb/geometry.h"

namespace fer::perturb {
namespace {

class Rotation : public Perturbation {
 public:
  explicit Rotation(const Parameters& p) : to_(p.number("degrees", kDegrees)), loose_(p.word("size") == "loose"), sampling_(to_sampling(p)) {}

  Size output_size(Size in) const override {
    if (!loose_) return in;
    const double c = std::abs(to_.x), s = std::abs(to_.y);
    // The box around the rotated rectangle; what rounding adds to a whole number is not a pixel.
    auto grown = [](double length) { return static_cast<int>(std::ceil(length - 1e-9)); };
    return {grown(in.width * c + in.height * s), grown(in.width * s + in.height * c)};
  }

  void apply(const Image& in, const Draws&, uint8_t* out) const override {
    // The source of an output pixel lies the other way round the centre: to_ is (cos, -sin).
    const Size size = output_size(in.size);
    warp(in, about_centres(to_.x, to_.y, -to_.y, to_.x, size, in.size), sampling_, size, out);
  }

 private:
  Direction to_;
  bool loose_;
  Sampling sampling_;
};

}  // namespace

std::unique_ptr<Perturbation> make_rotation(const Parameters& p) { return std::make_unique<Rotation>(p); }

}  // namespace fer::perturb
