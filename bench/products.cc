// The products of a training step by themselves, shape by shape: GFLOP/s of this processor's kernels in both precisions.
//
//   scripts/profile.sh products [threads] [seconds a figure]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "cpu/instruction_sets.h"

namespace {

using namespace fer::cpu;
using Clock = std::chrono::steady_clock;

struct Shape {
  int rows, piece, segments, k, n;  // rows of a step at batch 40, and of one call of the backend
};

constexpr Shape kShapes[] = {{84640, 46, 3, 96, 64},     {77440, 264, 1, 64, 128},   {77440, 264, 1, 128, 128}, {77440, 264, 1, 128, 64},
                             {19360, 286, 1, 128, 256},  {19360, 286, 1, 256, 256},  {19360, 286, 1, 256, 128}, {4840, 242, 1, 256, 512},
                             {4840, 242, 1, 512, 512},   {4840, 242, 1, 512, 256},   {1440, 288, 1, 512, 1024}, {1440, 288, 1, 1024, 1024},
                             {1440, 288, 1, 1024, 512},  {77440, 264, 1, 8, 16},     {77440, 264, 1, 16, 16},   {19360, 286, 1, 16, 32},
                             {19360, 286, 1, 32, 32},    {4840, 242, 1, 32, 64},     {4840, 242, 1, 64, 64},    {1440, 288, 1, 64, 128},
                             {1440, 288, 1, 128, 128}};

// GFLOP/s of `threads` threads, each at its own share of the rows; the fastest of the sweeps counts.
double rate(const Kernels& kernels, const Shape& s, bool outer, int threads, double seconds) {
  std::vector<double> best(threads, 1e9);
  std::atomic<int> ready{0};
  std::vector<std::thread> workers;
  const int rows = std::max(s.piece, s.rows / threads / s.piece * s.piece), depth = s.segments * s.k;
  const size_t stride = static_cast<size_t>(s.k) / s.segments;
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      auto room = [](size_t count) { return static_cast<float*>(std::aligned_alloc(4096, (count * sizeof(float) + 4095) / 4096 * 4096)); };
      const size_t a_size = (static_cast<size_t>(rows) + 3) * stride, c_size = static_cast<size_t>(rows) * s.n, w_size = static_cast<size_t>(depth) * s.n;
      float *a = room(a_size), *c = room(c_size), *w = room(w_size), *packed = room(packed_size(depth, s.n));
      for (size_t i = 0; i < a_size; ++i) a[i] = static_cast<float>(i % 13) - 6;
      for (size_t i = 0; i < c_size; ++i) c[i] = static_cast<float>(i % 11) - 5;
      for (size_t i = 0; i < w_size; ++i) w[i] = static_cast<float>(i % 7) - 3;
      kernels.pack(w, depth, s.n, false, 0, s.n, packed);
      ++ready;
      while (ready < threads) {
      }
      for (const auto end = Clock::now() + std::chrono::duration<double>(seconds); Clock::now() < end;) {
        const auto start = Clock::now();
        for (int i = 0; i + s.piece <= rows; i += s.piece) {
          Rows piece{{}, s.segments, s.k, static_cast<ptrdiff_t>(stride)};
          for (int j = 0; j < s.segments; ++j) piece.segment[j] = a + static_cast<size_t>(i) * stride;
          if (outer) kernels.accumulate_outer(s.piece, s.n, piece, c + static_cast<size_t>(i) * s.n, w);
          else kernels.multiply_rows(s.piece, s.n, piece, packed, c + static_cast<size_t>(i) * s.n);
        }
        best[t] = std::min(best[t], std::chrono::duration<double>(Clock::now() - start).count());
      }
      for (float* p : {a, c, w, packed}) std::free(p);
    });
  for (std::thread& w : workers) w.join();
  double sum = 0;
  for (const double b : best) sum += 2e-9 * rows * depth * s.n / b;
  return sum;
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1;
  const double seconds = argc > 2 ? std::atof(argv[2]) : 0.1;
  const InstructionSet& set = instruction_set();
  std::printf("%s, %d threads, GFLOP/s\n%-22s %16s %16s\n", set.name, threads, "rows x k x n", "rows fp32 bf16", "outer fp32 bf16");
  for (const Shape& s : kShapes) {
    std::printf("%6d x %4d x %4d  ", s.rows, s.segments * s.k, s.n);
    for (const bool outer : {false, true})
      for (const Kernels* kernels : {&set.fp32(), &set.bf16()}) std::printf(" %7.0f", rate(*kernels, s, outer, threads, seconds)), std::fflush(stdout);
    std::printf("\n");
  }
}
