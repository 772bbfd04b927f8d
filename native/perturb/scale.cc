// A change of scale about the centre, without smoothing first: an image of this size keeps its detail.
#include "perturb/geometry.h"

namespace fer::perturb {
namespace {

class Scale : public Perturbation {
 public:
  explicit Scale(const Parameters& p) : step_(1 / p.number("factor", {0.1, 10})), sampling_(to_sampling(p)) {}

  void apply(const Image& in, const Draws&, uint8_t* out) const override {
    warp(in, about_centres(step_, 0, 0, step_, in.size, in.size), sampling_, in.size, out);
  }

 private:
  double step_;
  Sampling sampling_;
};

}  // namespace

std::unique_ptr<Perturbation> make_scale(const Parameters& p) { return std::make_unique<Scale>(p); }

}  // namespace fer::perturb
