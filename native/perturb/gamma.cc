// Grey values, taken as 0 to 1, to a power.
#include "perturb/lookup.h"

namespace fer::perturb {

std::unique_ptr<Perturbation> make_gamma(const Parameters& p) {
  const double exponent = p.number("exponent", {0.05, 20});
  return std::make_unique<Lookup>(table_of([=](double grey) { return 255.0 * std::pow(grey / 255.0, exponent); }));
}

}  // namespace fer::perturb
