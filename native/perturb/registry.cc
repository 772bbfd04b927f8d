#include "perturb/registry.h"

namespace fer::perturb {
namespace {

struct Entry {
  const char* type;
  std::unique_ptr<Perturbation> (*make)(const Parameters&);
};
constexpr Entry kPerturbations[] = {
    {"blur", make_blur},         {"brightness", make_brightness}, {"brightness-shift", make_brightness_shift},
    {"contrast", make_contrast}, {"gamma", make_gamma},           {"highlight", make_highlight},
    {"noise", make_noise},       {"occlusion", make_occlusion},   {"rotation", make_rotation},
    {"scale", make_scale},       {"shadow", make_shadow},         {"translation", make_translation},
};

}  // namespace

std::unique_ptr<Perturbation> make(const std::string& type, const Parameters& parameters) {
  for (const Entry& entry : kPerturbations)
    if (type == entry.type) return entry.make(parameters);
  throw Error("ERR_FER_ARGUMENT", "expected a perturbation this build has, got \"" + type + "\"");
}

}  // namespace fer::perturb
