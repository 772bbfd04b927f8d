#include "cpu/instruction_sets.h"

#include <cstdlib>
#include <string>

#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace fer::cpu {
namespace {

bool has_v2() { return true; }
bool has_v3() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"); }
bool has_v4() {
  return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
}
bool has_avx512_bf16() { return has_v4() && __builtin_cpu_supports("avx512bf16"); }

bool has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1) && (d >> 22 & 1);  // AMX-TILE, AMX-BF16
}

// Tiles are 8 KB a thread, so Linux (5.16) hands them out on request only, to the whole process and before first use. An older
// kernel, a hypervisor or a sandbox's filter answers with an error: then there is no AMX here.
bool tiles_permitted() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

bool has_amx_bf16() {
  static const bool yes = has_avx512_bf16() && has_tiles() && tiles_permitted();
  return yes;
}

constexpr InstructionSet kAll[] = {
    {"amx-bf16", has_amx_bf16, v4::kernels, amx_bf16::bf16_kernels, true},
    {"avx512-bf16", has_avx512_bf16, v4::kernels, avx512_bf16::bf16_kernels, true},
    {"x86-64-v4", has_v4, v4::kernels, v4::bf16_kernels, false},
    {"x86-64-v3", has_v3, v3::kernels, v3::bf16_kernels, false},
    {"x86-64-v2", has_v2, v2::kernels, v2::bf16_kernels, false},
};

const InstructionSet& choose() {
  __builtin_cpu_init();
  const char* wanted = std::getenv("FER_ISA");
  std::string names;
  for (const InstructionSet& set : kAll) {
    if (!set.available()) continue;
    if (!wanted || !*wanted || wanted == std::string(set.name)) return set;
    names += (names.empty() ? "" : ", ") + std::string(set.name);
  }
  throw Error("ERR_FER_ARGUMENT", "expected an instruction set that this processor has (" + names + "), got " + wanted + ", for FER_ISA");
}

}  // namespace

std::span<const InstructionSet> instruction_sets() { return kAll; }

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
