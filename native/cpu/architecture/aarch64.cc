// The instruction sets of 64-bit ARM: NEON, which every such processor has.
#include "cpu/instruction_sets.h"

namespace fer::cpu {
namespace {

constexpr InstructionSet kAll[] = {
    {"neon", [] { return true; }, neon::kernels, neon::bf16_kernels, false},
};

}  // namespace

std::span<const InstructionSet> instruction_sets() { return kAll; }

}  // namespace fer::cpu
