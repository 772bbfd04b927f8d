// Each grey value's distance from the image's mean, times a factor.
#include <numeric>

#include "perturb/lookup.h"

namespace fer::perturb {
namespace {

class Contrast : public Perturbation {
 public:
  explicit Contrast(const Parameters& p) : factor_(p.number("factor", {0, 100})) {}

  void apply(const Image& in, const Draws&, uint8_t* out) const override {
    const auto count = in.size.pixels();
    const double mean = static_cast<double>(std::accumulate(in.pixels, in.pixels + count, uint64_t{0})) / static_cast<double>(count);
    look_up(table_of([&](double grey) { return (grey - mean) * factor_ + mean; }), in, out);
  }

 private:
  double factor_;
};

}  // namespace

std::unique_ptr<Perturbation> make_contrast(const Parameters& p) { return std::make_unique<Contrast>(p); }

}  // namespace fer::perturb
