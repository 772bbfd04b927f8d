// A constant added to grey values.
#include "perturb/lookup.h"

namespace fer::perturb {

std::unique_ptr<Perturbation> make_brightness_shift(const Parameters& p) {
  const double levels = p.number("levels", {-255, 255});
  return std::make_unique<Lookup>(table_of([=](double grey) { return grey + levels; }));
}

}  // namespace fer::perturb
