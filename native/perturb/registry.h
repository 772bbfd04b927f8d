// The registry of perturbations; lib/perturb/registry.ts is its typed mirror.
#pragma once
#include "perturb/perturbation.h"

namespace fer::perturb {

// Throws ERR_FER_ARGUMENT for a type that is not listed, or parameters that are missing.
std::unique_ptr<Perturbation> make(const std::string& type, const Parameters& parameters);

// Each in the file of its name.
std::unique_ptr<Perturbation> make_blur(const Parameters&);
std::unique_ptr<Perturbation> make_brightness(const Parameters&);
std::unique_ptr<Perturbation> make_brightness_shift(const Parameters&);
std::unique_ptr<Perturbation> make_contrast(const Parameters&);
std::unique_ptr<Perturbation> make_gamma(const Parameters&);
std::unique_ptr<Perturbation> make_highlight(const Parameters&);
std::unique_ptr<Perturbation> make_noise(const Parameters&);
std::unique_ptr<Perturbation> make_occlusion(const Parameters&);
std::unique_ptr<Perturbation> make_rotation(const Parameters&);
std::unique_ptr<Perturbation> make_scale(const Parameters&);
std::unique_ptr<Perturbation> make_shadow(const Parameters&);
std::unique_ptr<Perturbation> make_translation(const Parameters&);

}  // namespace fer::perturb
