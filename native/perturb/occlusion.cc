// A square of one grey value, at a place given or drawn.
#include "perturb/perturbation.h"

namespace fer::perturb {
namespace {

class Occlusion : public Perturbation {
 public:
  explicit Occlusion(const Parameters& p)
      : side_(p.number("side", kFraction)), value_(saturate(p.number("value", kGreys))), x_(p.given("x", kFraction)), y_(p.given("y", kFraction)) {}

  void apply(const Image& in, const Draws& draws, uint8_t* out) const override {
    const auto [width, height] = in.size;
    std::copy_n(in.pixels, in.size.pixels(), out);
    const int side = static_cast<int>(std::round(side_ * in.size.shorter()));
    const Draw draw = draws(0);
    auto start = [&](std::optional<double> centre, uint32_t bits, int length) {
      return static_cast<int>(centre ? std::round(*centre * length - 0.5 * side) : std::floor(uniform(bits) * static_cast<float>(length - side + 1)));
    };
    const int left = start(x_, draw[0], width), top = start(y_, draw[1], height);
    const int from = std::max(left, 0), to = std::min(left + side, width);
    for (int y = std::max(top, 0); y < std::min(top + side, height); ++y)
      if (from < to) std::fill_n(out + static_cast<size_t>(y) * width + from, to - from, value_);
  }

 private:
  double side_;
  uint8_t value_;
  std::optional<double> x_, y_;
};

}  // namespace

std::unique_ptr<Perturbation> make_occlusion(const Parameters& p) { return std::make_unique<Occlusion>(p); }

}  // namespace fer::perturb
