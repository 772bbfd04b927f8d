// Grey values times a factor, as MATLAB multiplies uint8 by double.
#include "perturb/lookup.h"

namespace fer::perturb {

std::unique_ptr<Perturbation> make_brightness(const Parameters& p) {
  const double factor = p.number("factor", {0, 100});
  return std::make_unique<Lookup>(table_of([=](double grey) { return grey * factor; }));
}

}  // namespace fer::perturb
