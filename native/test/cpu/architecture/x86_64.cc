#include <algorithm>

#include "cpu/instruction_sets.h"
#include "test/cpu/forms.h"

namespace fer::cpu {

namespace avx512_bf16_in_software {
const Kernels& bf16_kernels();
}
namespace amx_bf16_in_software {
const Kernels& bf16_kernels();
}

std::vector<Form> software_forms() {
  const auto is_v4 = [](const InstructionSet& set) { return set.name == std::string("x86-64-v4"); };
  if (!std::ranges::find_if(instruction_sets(), is_v4)->available()) return {};
  return {{"avx512_bf16_in_software", &avx512_bf16_in_software::bf16_kernels(), true},
          {"amx_bf16_in_software", &amx_bf16_in_software::bf16_kernels(), true}};
}

}  // namespace fer::cpu
