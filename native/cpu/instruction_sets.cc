#include "cpu/instruction_sets.h"

#include <cstdlib>
#include <string>

#include "base/error.h"

namespace fer::cpu {
namespace {

const InstructionSet& choose() {
  const char* wanted = std::getenv("FER_ISA");
  std::string names;
  for (const InstructionSet& set : instruction_sets()) {
    if (!set.available()) continue;
    if (!wanted || !*wanted || wanted == std::string(set.name)) return set;
    names += (names.empty() ? "" : ", ") + std::string(set.name);
  }
  throw Error("ERR_FER_ARGUMENT", "expected an instruction set that this processor has (" + names + "), got " + wanted + ", for FER_ISA");
}

}  // namespace

const InstructionSet& instruction_set() {
  static const InstructionSet& chosen = choose();
  return chosen;
}

const Kernels& kernels_for(Precision precision) {
  if (precision == Precision::kTf32)
    throw Error("ERR_FER_ARGUMENT",
                "expected precision fp32 or bf16 on the CPU, got tf32, which only GPUs have; bf16 is the faster one where the processor has it");
  return precision == Precision::kBf16 ? instruction_set().bf16() : instruction_set().fp32();
}

}  // namespace fer::cpu
