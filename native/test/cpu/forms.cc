#include "test/cpu/forms.h"

#include <algorithm>
#include <iterator>

#include "cpu/instruction_sets.h"

namespace fer::cpu {

std::vector<Form> forms() {
  std::vector<Form> all;
  for (const InstructionSet& set : instruction_sets()) {
    if (!set.available()) continue;
    for (const bool bf16 : {false, true}) {
      const Kernels* kernels = bf16 ? &set.bf16() : &set.fp32();
      if (std::ranges::any_of(all, [&](const Form& other) { return other.kernels == kernels; })) continue;
      std::string name = std::string(kernels->name) + (kernels->rounds_in_software ? "-bf16" : "");
      std::ranges::replace(name, '-', '_');
      all.push_back({name, kernels, bf16});
    }
  }
  std::ranges::copy(software_forms(), std::back_inserter(all));
  return all;
}

}  // namespace fer::cpu
