#include "test/cpu/forms.h"

#include <algorithm>

#include "cpu/instruction_sets.h"

namespace fer::cpu {

namespace avx512_bf16_in_software {
const Kernels& bf16_kernels();
}
namespace amx_bf16_in_software {
const Kernels& bf16_kernels();
}

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
    if (set.fp32 == v4::kernels && set.name == std::string("x86-64-v4")) {
      all.push_back({"avx512_bf16_in_software", &avx512_bf16_in_software::bf16_kernels(), true});
      all.push_back({"amx_bf16_in_software", &amx_bf16_in_software::bf16_kernels(), true});
    }
  }
  return all;
}

}  // namespace fer::cpu
