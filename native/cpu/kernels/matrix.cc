// Matrix products for pointwise and dense convolutions: rows times a small matrix, and its weight gradient.
//
// A tile of M rows by N vectors of C lives in registers; A is broadcast from cache, B is read from panels
// packed in the order of use. With 32 registers M x N = 12 x 2 leaves 24 accumulators against 2 loads of B
// and 12 broadcasts a step: arithmetic-bound on every core that issues two loads for each fused multiply-add.
#include <algorithm>

#include "cpu/kernels/table.h"
#include "cpu/kernels/vector.h"

namespace fer::cpu::FER_ISA {
namespace {

inline constexpr int kTall = 12;                             // rows of a one-vector tile
inline constexpr int kShort = kRegisters == 32 ? 12 : 6;     // rows of a two-vector tile

int panel_width(int n) {
  for (int width : {2 * kWide, kWide, 8})
    if (n % width == 0) return width;
  return 8;
}

template <int L, int N, int M>
FER_INLINE void tile(const Rows& a, ptrdiff_t row, const float* b, float* c, int ldc) {
  V<L> acc[M][N];
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < N; ++j) acc[i][j] = V<L>{};
  for (int s = 0; s < a.segments; ++s) {
    const float* p = a.segment[s] + row * a.stride;
    for (int k = 0; k < a.k; ++k, b += N * L) {
      V<L> bv[N];
#pragma GCC unroll 2
      for (int j = 0; j < N; ++j) bv[j] = load<L>(b + j * L);
#pragma GCC unroll 12
      for (int i = 0; i < M; ++i) {
        const V<L> av = splat<L>(p[i * a.stride + k]);
#pragma GCC unroll 2
        for (int j = 0; j < N; ++j) acc[i][j] += av * bv[j];
      }
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < N; ++j) store<L>(c + static_cast<ptrdiff_t>(i) * ldc + j * L, acc[i][j]);
}

// The last rows: fewer than a whole tile.
template <int L, int N, int M>
void tail(int rows, const Rows& a, ptrdiff_t row, const float* b, float* c, int ldc) {
  if constexpr (M > 0) {
    if (rows == M) tile<L, N, M>(a, row, b, c, ldc);
    else tail<L, N, M - 1>(rows, a, row, b, c, ldc);
  }
}

template <int L, int N>
void multiply_panels(int m, int n, const Rows& a, const float* packed, float* c) {
  constexpr int M = N == 2 ? kShort : kTall;
  const ptrdiff_t panel = static_cast<ptrdiff_t>(a.segments) * a.k * N * L;
  // Panels inside, so that a block of A (64 rows) stays in the first-level cache.
  for (int block = 0; block < m; block += 5 * M) {
    const int end = std::min(m, block + 5 * M);
    for (int j = 0; j < n; j += N * L) {
      const float* b = packed + j / (N * L) * panel;
      int i = block;
      for (; i + M <= end; i += M) tile<L, N, M>(a, i, b, c + static_cast<ptrdiff_t>(i) * n + j, n);
      tail<L, N, M - 1>(end - i, a, i, b, c + static_cast<ptrdiff_t>(i) * n + j, n);
    }
  }
}

// W tile [M rows of k][N vectors] += sum over rows of A^T C.
template <int L, int N, int M>
FER_INLINE void outer_tile(int m, const float* a, ptrdiff_t stride, const float* c, int n, float* w) {
  V<L> acc[M][N];
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < N; ++j) acc[i][j] = load<L>(w + static_cast<ptrdiff_t>(i) * n + j * L);
  for (int r = 0; r < m; ++r, a += stride, c += n) {
    V<L> cv[N];
#pragma GCC unroll 2
    for (int j = 0; j < N; ++j) cv[j] = load<L>(c + j * L);
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i) {
      const V<L> av = splat<L>(a[i]);
#pragma GCC unroll 2
      for (int j = 0; j < N; ++j) acc[i][j] += av * cv[j];
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < N; ++j) store<L>(w + static_cast<ptrdiff_t>(i) * n + j * L, acc[i][j]);
}

template <int L, int N, int M>
void outer_tail(int ks, int m, const float* a, ptrdiff_t stride, const float* c, int n, float* w) {
  if constexpr (M > 0) {
    if (ks == M) outer_tile<L, N, M>(m, a, stride, c, n, w);
    else outer_tail<L, N, M - 1>(ks, m, a, stride, c, n, w);
  }
}

template <int L, int N>
void outer_panels(int m, int n, const Rows& a, const float* c, float* w) {
  constexpr int M = N == 2 ? kShort : kTall;
  for (int block = 0; block < m; block += 128) {  // 128 rows: a panel of C stays in the first-level cache
    const int rows = std::min(128, m - block);
    for (int s = 0; s < a.segments; ++s)
      for (int j = 0; j < n; j += N * L) {
        const float* pa = a.segment[s] + block * a.stride;
        const float* pc = c + static_cast<ptrdiff_t>(block) * n + j;
        float* pw = w + static_cast<ptrdiff_t>(s) * a.k * n + j;
        int k = 0;
        for (; k + M <= a.k; k += M) outer_tile<L, N, M>(rows, pa + k, a.stride, pc, n, pw + static_cast<ptrdiff_t>(k) * n);
        outer_tail<L, N, M - 1>(a.k - k, rows, pa + k, a.stride, pc, n, pw + static_cast<ptrdiff_t>(k) * n);
      }
  }
}

template <class Body> void with_panel(int n, Body&& body) {
  const int width = panel_width(n);
  if (width == 2 * kWide) body.template operator()<kWide, 2>();
  else if (width == kWide) body.template operator()<kWide, 1>();
  else body.template operator()<8, 1>();
}

}  // namespace

void pack(const float* b, int k, int n, bool transposed, float* packed) {
  const int width = panel_width(n);
  for (int j = 0; j < n; j += width)
    for (int i = 0; i < k; ++i)
      for (int v = 0; v < width; ++v)
        *packed++ = transposed ? b[static_cast<ptrdiff_t>(j + v) * k + i] : b[static_cast<ptrdiff_t>(i) * n + j + v];
}

void multiply_rows(int m, int n, const Rows& a, const float* packed, float* c) {
  with_panel(n, [&]<int L, int N>() { multiply_panels<L, N>(m, n, a, packed, c); });
}

void accumulate_outer(int m, int n, const Rows& a, const float* c, float* w) {
  with_panel(n, [&]<int L, int N>() { outer_panels<L, N>(m, n, a, c, w); });
}

}  // namespace fer::cpu::FER_ISA
