// The instruction sets of x86-64.
#include <cpuid.h>

#include <cstdint>
#include <initializer_list>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "cpu/instruction_sets.h"

namespace fer::cpu {
namespace {

struct Registers {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// All zeros for a leaf that the processor does not have.
Registers cpuid(unsigned leaf, unsigned part) {
  Registers r;
  return __get_cpuid_count(leaf, part, &r.eax, &r.ebx, &r.ecx, &r.edx) ? r : Registers{};
}

// Which registers the system saves when it switches threads, by their bits in XCR0.
uint64_t saved_registers() {
  if (!(cpuid(1, 0).ecx >> 27 & 1)) return 0;  // OSXSAVE
  uint32_t low = 0, high = 0;
  asm("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t{high} << 32 | low;
}
bool saves(uint64_t registers) { return (saved_registers() & registers) == registers; }

// By the bits of Intel's manual, not by __builtin_cpu_supports: that of zig 0.17 says no to everything.
constexpr bool all(unsigned word, std::initializer_list<int> bits) {
  for (const int bit : bits)
    if (!(word >> bit & 1)) return false;
  return true;
}

bool has_v2() { return true; }
bool has_v3() {
  constexpr int kFma = 12, kAvx = 28, kAvx2 = 5, kBmi2 = 8;
  return all(cpuid(1, 0).ecx, {kFma, kAvx}) && all(cpuid(7, 0).ebx, {kAvx2, kBmi2}) && saves(0x6);
}
bool has_v4() {
  constexpr int kF = 16, kDq = 17, kCd = 28, kBw = 30, kVl = 31;
  return has_v3() && all(cpuid(7, 0).ebx, {kF, kDq, kCd, kBw, kVl}) && saves(0xe6);
}
bool has_avx512_bf16() { return has_v4() && all(cpuid(7, 1).eax, {5}); }

bool has_tiles() {
  constexpr int kAmxBf16 = 22, kAmxTile = 24;
  return all(cpuid(7, 0).edx, {kAmxBf16, kAmxTile}) && saves(0x60000);
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

}  // namespace

std::span<const InstructionSet> instruction_sets() { return kAll; }

}  // namespace fer::cpu
