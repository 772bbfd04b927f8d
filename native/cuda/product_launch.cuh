// The ways to launch the two products: which kernel, on tiles of which shape. The one expected to be fastest comes first.
#pragma once
#include <algorithm>

#include "cuda/tensor_products.cuh"
#include "cuda/workspace.h"

namespace fer::cuda {

template <class Kernel, class A, class B, class Out>
void launch_product(Workspace& work, const char* op, Kernel kernel, int bm, int bn, const A& a, const B& b, const Out& out, int m, int n, int k) {
  const dim3 grid(blocks_for(m, bm), blocks_for(n, bn));
  float* partial = Out::kSums ? work.floats(Slot::kPartial, partial_rows(grid.x) * 2 * n) : nullptr;
  launch(op, kernel, grid, dim3(kThreads), work.stream(), a, b, out, m, n, k, partial, work.counters(grid.y * counters_a_tile(grid.x)));
}

// out = a * b, [m][k] * [k][n].
template <class A, class B, class Out>
Candidates products(Workspace& work, const char* op, const A& a, const B& b, const Out& out, int m, int n, int k) {
  Candidates ways;
  auto add = [&](const char* name, auto kernel, int bm, int bn) {
    ways.push_back({name, [=, &work] { launch_product(work, op, kernel, bm, bn, a, b, out, m, n, k); }});
  };
  // Large tiles reuse more; small ones keep the device busy where there are few rows.
  const bool large = n > 64 && int64_t{m} * n >= int64_t{128} * 128 * 2 * work.multiprocessors();
  if (n > 16 && work.precision() == Precision::kTf32) {
    if (n <= 32) add("tf32 128x32", tensor_product<Tf32, 128, 32, 8, 1, A, B, Out>, 128, 32);
    else add("tf32 64x64", tensor_product<Tf32, 64, 64, 4, 2, A, B, Out>, 64, 64);
    if (n > 64) add("tf32 128x128", tensor_product<Tf32, 128, 128, 4, 2, A, B, Out>, 128, 128);
  } else if (n > 16 && work.precision() == Precision::kBf16) {
    if (n <= 32) add("bf16 128x32", tensor_product<Bf16, 128, 32, 8, 1, A, B, Out>, 128, 32);
    else add("bf16 64x64", tensor_product<Bf16, 64, 64, 4, 2, A, B, Out>, 64, 64);
    if (n > 64) add("bf16 128x128", tensor_product<Bf16, 128, 128, 4, 2, A, B, Out>, 128, 128);
  }
  if (large) std::reverse(ways.begin(), ways.end());
  const auto tensor = static_cast<std::ptrdiff_t>(ways.size());
  if (n <= 8) add("fp32 128x8", product<128, 8, 2, 2, A, B, Out>, 128, 8);
  else if (n <= 16) add("fp32 128x16", product<128, 16, 4, 2, A, B, Out>, 128, 16);
  else if (n <= 32) add("fp32 128x32", product<128, 32, 4, 4, A, B, Out>, 128, 32);
  else add("fp32 64x64", product<64, 64, 4, 4, A, B, Out>, 64, 64);
  if (n > 64) add("fp32 128x128", product<128, 128, 8, 8, A, B, Out>, 128, 128);
  if (large) std::reverse(ways.begin() + tensor, ways.end());
  return ways;
}

// out[i] = sum over splits of parts[split][i], in order.
void add_up_splits(Workspace& work, const char* op, const float* parts, int splits, size_t count, float* out);

template <class Kernel, class A, class B>
void launch_outer(Workspace& work, const char* op, Kernel kernel, int bm, int bn, const A& a, const B& b, float* out, int m, int n, int rows) {
  constexpr unsigned kMultiple = 64;  // the deepest tile's rows
  const unsigned tiles_m = blocks_for(m, bm), tiles_n = blocks_for(n, bn);
  // As many blocks as run at once, but no split of less than eight tiles' depth.
  const unsigned wanted = std::max(1u, blocks_at_once(kernel, kThreads) * work.multiprocessors() / (tiles_m * tiles_n)),
                 most = std::max(1u, blocks_for(rows, 8 * kDepth));
  const int rows_per_split = static_cast<int>(blocks_for(blocks_for(rows, std::min(wanted, most)), kMultiple) * kMultiple);
  const unsigned splits = blocks_for(rows, rows_per_split);
  float* parts = splits > 1 ? work.floats(Slot::kPartial, size_t{splits} * m * n) : out;
  launch(op, kernel, dim3(tiles_m, tiles_n, splits), dim3(kThreads), work.stream(), a, b, parts, m, n, rows, rows_per_split);
  if (splits > 1) add_up_splits(work, op, parts, static_cast<int>(splits), static_cast<size_t>(m) * n, out);
}

// out [m][n] = sum over rows of a(row, m) * b(row, n).
template <class A, class B>
Candidates outer_products(Workspace& work, const char* op, const A& a, const B& b, float* out, int m, int n, int rows) {
  Candidates ways;
  auto add = [&](const char* name, auto kernel, int bm, int bn) {
    ways.push_back({name, [=, &work] { launch_outer(work, op, kernel, bm, bn, a, b, out, m, n, rows); }});
  };
  const int thin = std::min(m, n);
  if (thin > 32 && work.precision() == Precision::kTf32) {
    if (thin > 128) add("tf32 128x128", tensor_outer_product<Tf32, 128, 128, 4, 2, A, B>, 128, 128);
    add("tf32 64x64", tensor_outer_product<Tf32, 64, 64, 4, 2, A, B>, 64, 64);
  } else if (thin > 32 && work.precision() == Precision::kBf16) {
    if (thin > 128) add("bf16 128x128", tensor_outer_product<Bf16, 128, 128, 4, 2, A, B>, 128, 128);
    add("bf16 64x64", tensor_outer_product<Bf16, 64, 64, 4, 2, A, B>, 64, 64);
  }
  if (thin <= 16) add("fp32 16x16", outer_product<16, 16, 1, 1, A, B>, 16, 16);
  else if (thin <= 32) add("fp32 32x32", outer_product<32, 32, 2, 2, A, B>, 32, 32);
  if (thin > 128) add("fp32 128x128", outer_product<128, 128, 8, 8, A, B>, 128, 128);
  if (thin > 32) add("fp32 64x64", outer_product<64, 64, 4, 4, A, B>, 64, 64);
  return ways;
}

}  // namespace fer::cuda
