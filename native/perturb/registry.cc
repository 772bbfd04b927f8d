#include "perturb/registry.h"

// Every type, and what makes it in the file of its name: a new one is one line.
#define FER_PERTURBATIONS(TYPE)                   \
  TYPE("blur", make_blur)                         \
  TYPE("brightness", make_brightness)             \
  TYPE("brightness-shift", make_brightness_shift) \
  TYPE("contrast", make_contrast)                 \
  TYPE("gamma", make_gamma)                       \
  TYPE("highlight", make_highlight)               \
  TYPE("noise", make_noise)                       \
  TYPE("occlusion", make_occlusion)               \
  TYPE("rotation", make_rotation)                 \
  TYPE("scale", make_scale)                       \
  TYPE("shadow", make_shadow)                     \
  TYPE("translation", make_translation)

namespace fer::perturb {

#define FER_DECLARED(type, make) std::unique_ptr<Perturbation> make(const Parameters&);
FER_PERTURBATIONS(FER_DECLARED)

namespace {

struct Entry {
  const char* type;
  std::unique_ptr<Perturbation> (*make)(const Parameters&);
};
#define FER_ENTRY(type, make) {type, make},
constexpr Entry kPerturbations[] = {FER_PERTURBATIONS(FER_ENTRY)};

}  // namespace

std::unique_ptr<Perturbation> make(const std::string& type, const Parameters& parameters) {
  for (const Entry& entry : kPerturbations)
    if (type == entry.type) return entry.make(parameters);
  throw Error("ERR_FER_ARGUMENT", "expected a perturbation this build has, got \"" + type + "\"");
}

std::vector<std::string> types() {
  std::vector<std::string> types;
  for (const Entry& entry : kPerturbations) types.emplace_back(entry.type);
  return types;
}

}  // namespace fer::perturb
