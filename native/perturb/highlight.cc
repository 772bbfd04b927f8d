// A round spot of light, a Gaussian: the product of one across and one down.
#include <vector>

#include "perturb/perturbation.h"

namespace fer::perturb {
namespace {

constexpr double kMargin = 0.2;  // a drawn spot's centre stays so far from the border, so that it shows

class Highlight : public Perturbation {
 public:
  explicit Highlight(const Parameters& p)
      : strength_(p.number("strength", kFraction)),
        radius_(p.number("radius", {0.01, 1})),
        x_(p.given("x", kFraction)),
        y_(p.given("y", kFraction)) {}

  void apply(const Image& in, const Draws& draws, uint8_t* out) const override {
    const Draw draw = draws(0);
    auto place = [](std::optional<double> given, uint32_t bits) { return given ? *given : kMargin + (1 - 2 * kMargin) * uniform(bits); };
    const double sigma = radius_ * in.size.longer();
    const std::vector<double> across = bell(in.size.width, place(x_, draw[0]), sigma), down = bell(in.size.height, place(y_, draw[1]), sigma);
    const uint8_t* pixel = in.pixels;
    for (const double vertical : down)
      for (const double horizontal : across) *out++ = saturate(*pixel++ + 255.0 * strength_ * vertical * horizontal);
  }

 private:
  static std::vector<double> bell(int length, double place, double sigma) {
    std::vector<double> values(length);
    for (int i = 0; i < length; ++i) {
      const double t = (i + 0.5 - place * length) / sigma;
      values[i] = std::exp(-0.5 * t * t);
    }
    return values;
  }

  double strength_, radius_;
  std::optional<double> x_, y_;
};

}  // namespace

std::unique_ptr<Perturbation> make_highlight(const Parameters& p) { return std::make_unique<Highlight>(p); }

}  // namespace fer::perturb
