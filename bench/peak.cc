// The machine's peak in fp32 and in bf16, by products of registers with registers: one JSON line, GFLOP/s; bf16 is null where no
// instruction multiplies it. A product and its addition are two operations.
//   c++ -O2 -march=native -std=c++17 -pthread bench/peak.cc -o build/peak && build/peak [threads]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <thread>
#include <vector>

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// GFLOP/s, the best of many short runs of `body`, which does `operations`: a neighbour only ever takes time.
double best_rate(double operations, void (*body)()) {
  double best = 0;
  for (int repetition = 0; repetition < 200; ++repetition) {
    const double start = seconds();
    body();
    best = std::max(best, operations / (seconds() - start) / 1e9);
  }
  return best;
}

// A way to multiply, measured by a run of its own. Results must seem to be used, or nothing would be computed.
struct Products {
  const char* instruction;
  double operations;
  void (*run)();
};

#ifdef __AVX512F__
typedef float Vector __attribute__((vector_size(64)));
#else
typedef float Vector __attribute__((vector_size(32)));
#endif
constexpr int kChains = sizeof(Vector) == 64 ? 24 : 12;  // independent sums that hide an instruction's latency, and fit the registers
constexpr long kRounds = 200'000;

void fused_multiply_adds() {
  Vector a[kChains], b = Vector{} + 0.999f, c = Vector{} + 1e-4f;
  for (int k = 0; k < kChains; ++k) a[k] = Vector{} + 0.01f * float(k);  // equal chains would be computed once
  for (long i = 0; i < kRounds; ++i)
#pragma GCC unroll 24
    for (int k = 0; k < kChains; ++k) a[k] = a[k] * b + c;
  volatile float sink = 0;
  for (const Vector& v : a) sink = sink + v[0];
}
constexpr Products kFp32{"fused multiply-add", 2.0 * kRounds * kChains * sizeof(Vector) / sizeof(float), fused_multiply_adds};

#ifdef __x86_64__

__attribute__((target("avx512f,avx512bf16"))) void avx512_bf16_products() {
  __m512 a[24];
  for (int k = 0; k < 24; ++k) a[k] = _mm512_set1_ps(0.01f * float(k));
  const __m512bh b = _mm512_cvtne2ps_pbh(_mm512_set1_ps(1e-3f), _mm512_set1_ps(1e-3f));
  for (long i = 0; i < kRounds; ++i)
#pragma GCC unroll 24
    for (int k = 0; k < 24; ++k) a[k] = _mm512_dpbf16_ps(a[k], b, b);
  volatile float sink = 0;
  for (const __m512& v : a) sink = sink + _mm512_cvtss_f32(v);
}
constexpr Products kAvx512Bf16{"AVX512-BF16", 2.0 * kRounds * 24 * 32, avx512_bf16_products};

// Four tiles of sums: a product begins every 16 cycles and takes 52. No loads in the loop.
__attribute__((target("amx-tile,amx-bf16"))) void amx_products() {
  struct alignas(64) {
    unsigned char palette = 1, start_row = 0, reserved[14] = {};
    unsigned short bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } const shape;
  alignas(64) unsigned short operand[16][32];
  for (auto& row : operand) std::fill(std::begin(row), std::end(row), 0x3a80);  // 2^-10
  asm volatile("" ::: "memory");  // GCC 12's _tile_loadd does not say that it reads memory
  _tile_loadconfig(&shape);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_loadd(4, operand, 64);
  _tile_loadd(5, operand, 64);
  _tile_loadd(6, operand, 64);
  _tile_loadd(7, operand, 64);
  for (long i = 0; i < kRounds / 10; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
}
constexpr Products kAmx{"AMX", 2.0 * (kRounds / 10) * 4 * 16 * 16 * 32, amx_products};

// Asked of the processor, and of the system, which lends AMX's registers only to a process that asks.
const Products* bf16() {
  unsigned a, b, c, d;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  const bool amx = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d >> 24 & 1) && (d >> 22 & 1);  // AMX-TILE, AMX-BF16
  if (amx && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0) return &kAmx;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
  return avx512 ? &kAvx512Bf16 : nullptr;
}

#else

const Products* bf16() { return nullptr; }

#endif

void print_peak(const char* precision, const Products* products, unsigned count) {
  if (!products) {
    std::printf("\"%s\": null", precision);
    return;
  }
  const auto rate = [products] { return best_rate(products->operations, products->run); };
  const double one = rate();
  std::vector<double> rates(count);
  std::vector<std::thread> threads;
  for (double& each : rates) threads.emplace_back([&each, rate] { each = rate(); });
  double all = 0;
  for (unsigned i = 0; i < count; ++i) threads[i].join(), all += rates[i];
  std::printf("\"%s\": {\"oneThread\": %.0f, \"allThreads\": %.0f, \"by\": \"%s\"}", precision, one, all, products->instruction);
}

}  // namespace

int main(int count, char** arguments) {
  const unsigned threads = count > 1 ? std::max(1, std::atoi(arguments[1])) : std::thread::hardware_concurrency();
  std::printf("{\"threads\": %u, ", threads);
  print_peak("fp32", &kFp32, threads);
  std::printf(", ");
  print_peak("bf16", bf16(), threads);
  std::printf("}\n");
}
