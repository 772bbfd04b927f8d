// Chooses tile shapes for the two product kernels and launches them.
#pragma once
#include <algorithm>

#include "cuda/products.cuh"
#include "cuda/workspace.h"

namespace fer::cuda {

template <int BM, int BN, int TM, int TN, class A, class B, class Out>
void launch_product(Workspace& work, const char* op, const A& a, const B& b, const Out& out, int m, int n, int k) {
  const dim3 grid(blocks_for(m, BM), blocks_for(n, BN));
  float* partial = Out::kSums ? work.floats(Slot::kPartial, size_t{grid.x} * 2 * n) : nullptr;
  launch(op, product<BM, BN, TM, TN, A, B, Out>, grid, dim3(kThreads), work.stream(), a, b, out, m, n, k, partial, work.counters(grid.y));
}

template <class A, class B, class Out>
void multiply(Workspace& work, const char* op, const A& a, const B& b, const Out& out, int m, int n, int k) {
  if (n <= 8) return launch_product<128, 8, 4, 1>(work, op, a, b, out, m, n, k);
  if (n <= 16) return launch_product<128, 16, 4, 2>(work, op, a, b, out, m, n, k);
  if (n <= 32) return launch_product<128, 32, 4, 4>(work, op, a, b, out, m, n, k);
  // Large tiles reuse more; small ones keep the device busy where there are few rows.
  if (n > 64 && int64_t{m} * n >= int64_t{128} * 128 * 2 * work.multiprocessors()) return launch_product<128, 128, 8, 8>(work, op, a, b, out, m, n, k);
  launch_product<64, 64, 4, 4>(work, op, a, b, out, m, n, k);
}

template <int BM, int BN, int TM, int TN, class A, class B>
void launch_outer(Workspace& work, const char* op, const A& a, const B& b, float* out, int m, int n, int rows) {
  const unsigned tiles_m = blocks_for(m, BM), tiles_n = blocks_for(n, BN);
  // Two blocks a multiprocessor, but no split of less than eight tiles' depth.
  const unsigned wanted = std::max(1u, 2u * work.multiprocessors() / (tiles_m * tiles_n)), most = std::max(1u, blocks_for(rows, 8 * kDepth));
  const int rows_per_split = static_cast<int>(blocks_for(blocks_for(rows, std::min(wanted, most)), kDepth)) * kDepth;
  const unsigned splits = blocks_for(rows, rows_per_split);
  float* partial = splits > 1 ? work.floats(Slot::kPartial, size_t{splits} * m * n) : nullptr;
  launch(op, outer_product<BM, BN, TM, TN, A, B>, dim3(tiles_m, tiles_n, splits), dim3(kThreads), work.stream(), a, b, out, m, n, rows, rows_per_split, partial,
         work.counters(size_t{tiles_m} * tiles_n));
}

template <class A, class B>
void multiply_outer(Workspace& work, const char* op, const A& a, const B& b, float* out, int m, int n, int rows) {
  if (std::min(m, n) <= 16) return launch_outer<16, 16, 1, 1>(work, op, a, b, out, m, n, rows);
  if (std::min(m, n) <= 32) return launch_outer<32, 32, 2, 2>(work, op, a, b, out, m, n, rows);
  if (std::min(m, n) <= 128) return launch_outer<64, 64, 4, 4>(work, op, a, b, out, m, n, rows);
  launch_outer<128, 128, 8, 8>(work, op, a, b, out, m, n, rows);
}

}  // namespace fer::cuda
