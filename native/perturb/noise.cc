// Normal noise: one Philox block gives four uniforms, and Box and Muller's transform of them four normals.
#include "perturb/perturbation.h"

namespace fer::perturb {
namespace {

class Noise : public Perturbation {
 public:
  explicit Noise(const Parameters& p) : sigma_(p.number("sigma", kGreys)) {}

  void apply(const Image& in, const Draws& draws, uint8_t* out) const override {
    const size_t count = in.size.pixels();
    for (size_t i = 0; i < count; i += 4) {
      const Draw draw = draws(static_cast<uint32_t>(i / 4));
      double normals[4];
      for (int pair = 0; pair < 4; pair += 2) {
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(draw[pair]))), angle = radians(360.0 * uniform(draw[pair + 1]));
        normals[pair] = radius * std::cos(angle);
        normals[pair + 1] = radius * std::sin(angle);
      }
      for (size_t j = i; j < std::min(i + 4, count); ++j) out[j] = saturate(in.pixels[j] + sigma_ * normals[j - i]);
    }
  }

 private:
  double sigma_;
};

}  // namespace

std::unique_ptr<Perturbation> make_noise(const Parameters& p) { return std::make_unique<Noise>(p); }

}  // namespace fer::perturb
