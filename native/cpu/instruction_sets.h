// The instruction sets that the kernels are compiled for, and the choice among them on this processor.
#pragma once
#include <span>

#include "backend.h"
#include "cpu/kernels.h"

namespace fer::cpu {

struct InstructionSet {
  const char* name;  // as the environment variable FER_ISA gives it
  bool (*available)();
  const Kernels& (*fp32)();
  const Kernels& (*bf16)();
  bool bf16_in_hardware;
};

// All of this architecture, the best first; each contains those after it. In architecture/, a file an architecture.
std::span<const InstructionSet> instruction_sets();

// The best that this processor has, or the one that FER_ISA names. Throws ERR_FER_ARGUMENT where that is none or not available.
const InstructionSet& instruction_set();

// Its kernels for a precision. Throws ERR_FER_ARGUMENT for tf32, which no processor has.
const Kernels& kernels_for(Precision precision);

}  // namespace fer::cpu
