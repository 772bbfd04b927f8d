// Matrix products for pointwise and dense convolutions: rows times a small matrix, and its weight gradient.
//
// A tile of M rows by N vectors of C lives in registers; A is broadcast from cache, B is read from panels
// packed in the order of use. With 32 registers M x N = 12 x 2 leaves 24 accumulators against 2 loads of B
// and 12 broadcasts a step: arithmetic-bound on every core that issues two loads for each fused multiply-add.
//
// Eight columns would leave half of a 512-bit vector empty: there a vector holds two rows of B, interleaved, against two
// neighbouring elements of A broadcast as one 64-bit value.
#include <algorithm>

#include "cpu/passes/vector.h"
#include "cpu/products/products.h"
#include "cpu/thread_room.h"

namespace fer::cpu::FER_ISA {
namespace {

inline constexpr int kTall = 12;                          // rows of a one-vector tile
inline constexpr int kShort = kRegisters == 32 ? 12 : 6;  // rows of a two-vector tile
inline constexpr int kFarApart = 64;                      // floats from row to row that set a matrix's columns far apart

int panel_width(int n) {
  for (int width : {2 * kWide, kWide, 8})
    if (n % width == 0) return width;
  return 8;
}

// Whether the products of these sizes hold two rows of B in a vector.
bool paired(int k, int n) { return kWide == 16 && n == 8 && k % 2 == 0; }

template <int L, int N, int M>
FER_INLINE void tile(const Rows& a, ptrdiff_t row, const float* b, float* c, int ldc) {
  V<L> acc[M][N];
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < N; ++j) {
      acc[i][j] = V<L>{};
      __builtin_prefetch(c + static_cast<ptrdiff_t>(i) * ldc + j * L, 1);  // C is cold: its lines come while the sums are made
    }
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

#ifdef __AVX512F__
// Lanes 2j and 2j + 1: column j of rows k and k + 1.
FER_INLINE V<16> splat_pair(const float* p) {
  double pair;
  std::memcpy(&pair, p, sizeof pair);
  return (V<16>)_mm512_set1_pd(pair);
}
FER_INLINE V<8> even_lanes(V<16> v) { return __builtin_shufflevector(v, v, 0, 2, 4, 6, 8, 10, 12, 14); }
FER_INLINE V<8> odd_lanes(V<16> v) { return __builtin_shufflevector(v, v, 1, 3, 5, 7, 9, 11, 13, 15); }
FER_INLINE V<16> twice_each(V<8> v) { return __builtin_shufflevector(v, v, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7); }

template <int M>
void paired_tile(const Rows& a, ptrdiff_t row, const float* b, float* c) {
  V<16> acc[M];
  for (int i = 0; i < M; ++i) acc[i] = V<16>{};
  for (int s = 0; s < a.segments; ++s) {
    const float* p = a.segment[s] + row * a.stride;
    for (int k = 0; k < a.k; k += 2, b += 16) {
      const V<16> bv = load<16>(b);
#pragma GCC unroll 12
      for (int i = 0; i < M; ++i) acc[i] += splat_pair(p + i * a.stride + k) * bv;
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i) store<8>(c + i * 8, even_lanes(acc[i]) + odd_lanes(acc[i]));
}

template <int M>
void paired_tail(int rows, const Rows& a, ptrdiff_t row, const float* b, float* c) {
  if constexpr (M > 0) {
    if (rows == M) paired_tile<M>(a, row, b, c);
    else paired_tail<M - 1>(rows, a, row, b, c);
  }
}

void multiply_paired(int m, const Rows& a, const float* packed, float* c) {
  int i = 0;
  for (; i + kTall <= m; i += kTall) paired_tile<kTall>(a, i, packed, c + static_cast<ptrdiff_t>(i) * 8);
  paired_tail<kTall - 1>(m - i, a, i, packed, c + static_cast<ptrdiff_t>(i) * 8);
}

// W [2M rows of k][8] += sum over rows of A^T C.
template <int M>
FER_INLINE void paired_outer_tile(int m, const float* a, ptrdiff_t stride, const float* c, float* w) {
  V<16> acc[M];
  for (int i = 0; i < M; ++i) acc[i] = V<16>{};
  for (int r = 0; r < m; ++r, a += stride, c += 8) {
    const V<16> cv = twice_each(load<8>(c));
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i) acc[i] += splat_pair(a + 2 * i) * cv;
  }
#pragma GCC unroll 12
  for (int i = 0; i < M; ++i) {
    store<8>(w + i * 16, load<8>(w + i * 16) + even_lanes(acc[i]));
    store<8>(w + i * 16 + 8, load<8>(w + i * 16 + 8) + odd_lanes(acc[i]));
  }
}

void outer_paired(int m, const Rows& a, const float* c, float* w) {
  for (int s = 0; s < a.segments; ++s, w += static_cast<ptrdiff_t>(a.k) * 8) {
    int k = 0;
    for (; k + 24 <= a.k; k += 24) paired_outer_tile<12>(m, a.segment[s] + k, a.stride, c, w + static_cast<ptrdiff_t>(k) * 8);
    for (; k + 8 <= a.k; k += 8) paired_outer_tile<4>(m, a.segment[s] + k, a.stride, c, w + static_cast<ptrdiff_t>(k) * 8);
    for (; k < a.k; k += 2) paired_outer_tile<1>(m, a.segment[s] + k, a.stride, c, w + static_cast<ptrdiff_t>(k) * 8);
  }
}
#else
void multiply_paired(int, const Rows&, const float*, float*) {}
void outer_paired(int, const Rows&, const float*, float*) {}
#endif

// W tile [M rows of k][N vectors] += sum over rows of A^T C.
template <int L, int N, int M>
FER_INLINE void outer_tile(int m, const float* a, ptrdiff_t stride, const float* c, ptrdiff_t next, int n, float* w) {
  V<L> acc[M][N];
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < N; ++j) acc[i][j] = load<L>(w + static_cast<ptrdiff_t>(i) * n + j * L);
  for (int r = 0; r < m; ++r, a += stride, c += next) {
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
void outer_tail(int ks, int m, const float* a, ptrdiff_t stride, const float* c, ptrdiff_t next, int n, float* w) {
  if constexpr (M > 0) {
    if (ks == M) outer_tile<L, N, M>(m, a, stride, c, next, n, w);
    else outer_tail<L, N, M - 1>(ks, m, a, stride, c, next, n, w);
  }
}

// Rows of A as the tiles of M columns that outer_tile reads: [k / M][rows][M].
template <int M>
void gather_tiles(const float* a, ptrdiff_t stride, int rows, int k, float* out) {
  constexpr int kTiles = 4;  // read together: with M = 12 three whole cache lines
  for (int first = 0; first < k; first += kTiles * M, out += static_cast<ptrdiff_t>(kTiles) * rows * M)
    for (int r = 0; r < rows; ++r)
      for (int t = 0, at = first; t < kTiles && at < k; ++t, at += M) {
        float* to = out + (static_cast<ptrdiff_t>(t) * rows + r) * M;
        const float* from = a + r * stride + at;
        if (at + M <= k) std::memcpy(to, from, M * sizeof(float));
        else std::memcpy(to, from, (k - at) * sizeof(float));
      }
}

template <int L, int N>
void outer_panels(int m, int n, const Rows& a, const float* c, float* w) {
  // Blocks of even height, because each reads and writes all of W: at most 288 rows, a panel of C that leaves the first-level
  // cache room for a tile of A.
  constexpr int M = N == 2 ? kShort : kTall, kBlock = 288;
  const int blocks = (m + kBlock - 1) / kBlock, most = (m + blocks - 1) / std::max(blocks, 1);
  // Columns of a wide matrix fall into few sets of the caches: they are copied, A's once a block, C's once a panel.
  const bool gathers = a.stride >= kFarApart, copies = n >= kFarApart;
  const ptrdiff_t padded = (a.k + M - 1) / M * M;
  float* tiles = gathers ? static_cast<float*>(thread_room(Room::kPanels, static_cast<size_t>(padded) * most * sizeof(float))) : nullptr;
  alignas(64) float copy[kBlock * N * L];
  for (int block = 0; block < m; block += most) {
    const int rows = std::min(most, m - block);
    for (int s = 0; s < a.segments; ++s) {
      const float* from = a.segment[s] + block * a.stride;
      if (gathers) gather_tiles<M>(from, a.stride, rows, a.k, tiles);
      const float* left = gathers ? tiles : from;
      const ptrdiff_t left_row = gathers ? M : a.stride, left_tile = gathers ? static_cast<ptrdiff_t>(rows) * M : M;
      for (int j = 0; j < n; j += N * L) {
        const float* pc = c + static_cast<ptrdiff_t>(block) * n + j;
        if (copies)
          for (int r = 0; r < rows; ++r) std::memcpy(copy + r * N * L, pc + static_cast<ptrdiff_t>(r) * n, N * L * sizeof(float));
        const float* panel = copies ? copy : pc;
        const ptrdiff_t next = copies ? N * L : n;
        float* pw = w + static_cast<ptrdiff_t>(s) * a.k * n + j;
        const float* pa = left;
        int k = 0;
        for (; k + M <= a.k; k += M, pa += left_tile, pw += static_cast<ptrdiff_t>(M) * n) {
          for (int i = 0; i < std::min(M, a.k - k - M); ++i)  // the next tile of W, which is cold where W is large
            for (int line = 0; line < N * L; line += 16) __builtin_prefetch(pw + static_cast<ptrdiff_t>(M + i) * n + line, 1);
          outer_tile<L, N, M>(rows, pa, left_row, panel, next, n, pw);
        }
        outer_tail<L, N, M - 1>(a.k - k, rows, pa, left_row, panel, next, n, pw);
      }
    }
  }
}

template <class Body>
void with_panel(int n, Body&& body) {
  const int width = panel_width(n);
  if (width == 2 * kWide) body.template operator()<kWide, 2>();
  else if (width == kWide) body.template operator()<kWide, 1>();
  else body.template operator()<8, 1>();
}

}  // namespace

void pack(const float* b, int k, int n, bool transposed, int first, int end, float* packed) {
  const int width = panel_width(n), deep = paired(k, n) ? 2 : 1;
  packed += static_cast<ptrdiff_t>(first) * k;
  for (int j = first; j < end; j += width)
    for (int i = 0; i < k; i += deep)
      for (int v = 0; v < width; ++v)
        for (int d = 0; d < deep; ++d)
          *packed++ = transposed ? b[static_cast<ptrdiff_t>(j + v) * k + i + d] : b[static_cast<ptrdiff_t>(i + d) * n + j + v];
}

void multiply_rows(int m, int n, const Rows& a, const float* packed, float* c) {
  if (paired(a.segments * a.k, n)) return multiply_paired(m, a, packed, c);
  with_panel(n, [&]<int L, int N>() { multiply_panels<L, N>(m, n, a, packed, c); });
}

void accumulate_outer(int m, int n, const Rows& a, const float* c, float* w) {
  if (paired(a.segments * a.k, n)) return outer_paired(m, a, c, w);
  with_panel(n, [&]<int L, int N>() { outer_panels<L, N>(m, n, a, c, w); });
}

}  // namespace fer::cpu::FER_ISA
