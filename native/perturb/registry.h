// The registry of perturbations; lib/perturb/registry.ts is its typed mirror.
#pragma once
#include <vector>

#include "perturb/perturbation.h"

namespace fer::perturb {

// Throws ERR_FER_ARGUMENT for a type that is not listed, or parameters that are missing.
std::unique_ptr<Perturbation> make(const std::string& type, const Parameters& parameters);

// Every type that there is.
std::vector<std::string> types();

}  // namespace fer::perturb
