// One block of a bf16 product: C [m][n], m and n up to 32, = or += a left operand times a right one.
#pragma once
#include "cpu/bf16/operand.h"

namespace fer::cpu::FER_ISA {

inline constexpr int kBlock = 2 * kSide;  // rows and columns of C at once

// A left operand: in tiles, rows of bf16 as they lie in memory, or (not for tile registers) the tiles of a right one, transposed.
struct Left {
  const uint16_t* segment[3];  // pieces of the inner sum
  int segments, steps;         // tiles of a segment
  ptrdiff_t line, tile, next;  // values from line to line, from tile to tile of a row, and from tile row to tile row
  int pair = 2;                // and from pair to pair of the inner sum
  int last = kDepth / 2;       // pairs of the last tile that hold something; tile registers take the zeros along
};
// `depth`: steps of the inner sum.
inline Left in_tiles(const uint16_t* at, int depth) {
  const int steps = tiles(depth, kDepth), last = (depth - (steps - 1) * kDepth + 1) / 2;
  return {{at}, 1, steps, kDepth, kTile, static_cast<ptrdiff_t>(steps) * kTile, 2, last};
}
inline Left transposed_tiles(const uint16_t* at, int depth) {
  Left left = in_tiles(at, depth);
  left.line = 2;
  left.pair = 2 * kSide;
  return left;
}
// From row `first` on; each tile is whole.
inline Left as_it_lies(const RowsOf<Bf16>& a, ptrdiff_t first) {
  Left left{{}, a.segments, a.k / kDepth, a.stride, kDepth, kSide * a.stride};
  for (int s = 0; s < a.segments; ++s) left.segment[s] = reinterpret_cast<const uint16_t*>(a.segment[s] + first * a.stride);
  return left;
}

struct Operands {
  Left left;
  const uint16_t* right;
  ptrdiff_t next() const { return static_cast<ptrdiff_t>(left.segments) * left.steps * kTile; }  // from tile row to tile row of the right one
};

#ifdef FER_TILES
// The eight tile registers hold 2 x 2 sums, two tiles of the left operand and two of the right.
template <int M, int N>
inline void whole(const Operands& of, float* c, ptrdiff_t ldc, bool add) {
  const ptrdiff_t row = ldc * static_cast<ptrdiff_t>(sizeof(float));
  float *c0 = c, *c1 = c + kSide * ldc;
  if (add) {
    FER_TILE_LOAD(0, c0, row);
    if constexpr (N == 2) FER_TILE_LOAD(1, c0 + kSide, row);
    if constexpr (M == 2) FER_TILE_LOAD(2, c1, row);
    if constexpr (M == 2 && N == 2) FER_TILE_LOAD(3, c1 + kSide, row);
  } else {
    FER_TILE_ZERO(0);
    if constexpr (N == 2) FER_TILE_ZERO(1);
    if constexpr (M == 2) FER_TILE_ZERO(2);
    if constexpr (M == 2 && N == 2) FER_TILE_ZERO(3);
  }
  const uint16_t* right = of.right;
  const ptrdiff_t line = 2 * of.left.line;
  for (int segment = 0; segment < of.left.segments; ++segment) {
    const uint16_t* left = of.left.segment[segment];
    for (int s = 0; s < of.left.steps; ++s, left += of.left.tile, right += kTile) {
      FER_TILE_LOAD(6, right, 64);
      FER_TILE_LOAD(4, left, line);
      FER_TILE_ADD_PRODUCTS(0, 4, 6);
      if constexpr (N == 2) {
        FER_TILE_LOAD(7, right + of.next(), 64);
        FER_TILE_ADD_PRODUCTS(1, 4, 7);
      }
      if constexpr (M == 2) {
        FER_TILE_LOAD(5, left + of.left.next, line);
        FER_TILE_ADD_PRODUCTS(2, 5, 6);
        if constexpr (N == 2) FER_TILE_ADD_PRODUCTS(3, 5, 7);
      }
    }
  }
  FER_TILE_STORE(0, c0, row);
  if constexpr (N == 2) FER_TILE_STORE(1, c0 + kSide, row);
  if constexpr (M == 2) FER_TILE_STORE(2, c1, row);
  if constexpr (M == 2 && N == 2) FER_TILE_STORE(3, c1 + kSide, row);
}

// What does not fill its tiles goes by way of a buffer.
inline void product(int m, int n, const Operands& of, float* c, ptrdiff_t ldc, bool add) {
  const bool tall = m > kSide, broad = n > kSide;
  const auto all = tall ? broad ? whole<2, 2> : whole<2, 1> : broad ? whole<1, 2> : whole<1, 1>;
  if (m % kSide == 0 && n % kSide == 0) return all(of, c, ldc, add);
  alignas(64) float edge[kBlock * kBlock];
  all(of, edge, kBlock, false);
  operands_written();  // the other way about: the sums are read from memory
  for (int i = 0; i < m; ++i, c += ldc)
    for (int j = 0; j < n; ++j) c[j] = edge[i * kBlock + j] + (add ? c[j] : 0.f);
}

// The same into bf16, by way of a block in the first-level cache.
inline void product(int m, int n, const Operands& of, Bf16* c, ptrdiff_t ldc) {
  alignas(64) float sums[kBlock * kBlock];
  const bool tall = m > kSide, broad = n > kSide;
  product(tall ? kBlock : kSide, broad ? kBlock : kSide, of, sums, kBlock, false);
  operands_written();
  const auto columns = static_cast<__mmask32>((uint64_t{1} << n) - 1);
  for (int i = 0; i < m; ++i, c += ldc) {
    const __m512 low = _mm512_load_ps(sums + i * kBlock), high = broad ? _mm512_load_ps(sums + i * kBlock + kSide) : low;
    _mm512_mask_storeu_epi16(c, columns, rounded(low, high));
  }
}
#else
inline void operands_written() {}
struct TileShape {
  TileShape() {}
};

// Eight rows against N vectors: 8 N sums, N loads of the right operand and eight broadcasts of pairs a step. begin(row, sums) sets
// the sums of rows [row, row + 8), end(row, sums) takes them.
inline constexpr int kLines = 8;
template <int N>
using Lines = __m512[kLines][N];
template <int N, class Begin, class End>
FER_INLINE void sum_lines(int m, const Operands& of, const Begin& begin, const End& end) {
  const int pair = of.left.pair;
  for (int i = 0; i < m; i += kLines) {
    Lines<N> sums;
    begin(i, sums);
    const uint16_t* right = of.right;
    for (int segment = 0; segment < of.left.segments; ++segment) {
      const uint16_t* left = of.left.segment[segment] + (i / kSide) * of.left.next + (i % kSide) * of.left.line;
      for (int s = 0; s < of.left.steps; ++s, left += of.left.tile) {
        const uint16_t* at = left;
        const int pairs = s + 1 < of.left.steps ? kDepth / 2 : of.left.last;
        for (int p = 0; p < pairs; ++p, at += pair, right += 2 * kSide) {
          __m512i b[N];
#pragma GCC unroll 2
          for (int j = 0; j < N; ++j) b[j] = _mm512_loadu_si512(right + j * of.next());
#pragma GCC unroll 8
          for (int r = 0; r < kLines; ++r) {
            int values;
            std::memcpy(&values, at + r * of.left.line, sizeof values);
            const __m512i a = _mm512_set1_epi32(values);
#pragma GCC unroll 2
            for (int j = 0; j < N; ++j) sums[r][j] = add_products(sums[r][j], a, b[j]);
          }
        }
      }
    }
    end(i, sums);
  }
}

// f(r, j) for the sums of eight rows.
template <int N, class F>
FER_INLINE void each_sum(const F& f) {
#pragma GCC unroll 8
  for (int r = 0; r < kLines; ++r)
#pragma GCC unroll 2
    for (int j = 0; j < N; ++j) f(r, j);
}

template <int N>
void product_of(int m, int n, const Operands& of, float* c, ptrdiff_t ldc, bool add) {
  const __mmask16 columns[2] = {lanes(n), lanes(n - kSide)};
  sum_lines<N>(
      m, of,
      [&](int i, Lines<N>& sums) __attribute__((always_inline)) {
        each_sum<N>([&](int r, int j) __attribute__((always_inline)) {
          sums[r][j] = add && i + r < m ? _mm512_maskz_loadu_ps(columns[j], c + (i + r) * ldc + j * kSide) : _mm512_setzero_ps();
        });
      },
      [&](int i, const Lines<N>& sums) __attribute__((always_inline)) {
        each_sum<N>([&](int r, int j) __attribute__((always_inline)) {
          if (i + r < m) _mm512_mask_storeu_ps(c + (i + r) * ldc + j * kSide, columns[j], sums[r][j]);
        });
      });
}
inline void product(int m, int n, const Operands& of, float* c, ptrdiff_t ldc, bool add) {
  (n > kSide ? product_of<2> : product_of<1>)(m, n, of, c, ldc, add);
}

// The same into bf16.
template <int N>
void rounded_product_of(int m, int n, const Operands& of, Bf16* c, ptrdiff_t ldc) {
  const auto columns = static_cast<__mmask32>((uint64_t{1} << n) - 1);
  sum_lines<N>(
      m, of,
      [](int, Lines<N>& sums)
          __attribute__((always_inline)) { each_sum<N>([&](int r, int j) __attribute__((always_inline)) { sums[r][j] = _mm512_setzero_ps(); }); },
      [&](int i, const Lines<N>& sums) __attribute__((always_inline)) {
#pragma GCC unroll 8
        for (int r = 0; r < kLines; ++r)
          if (i + r < m) _mm512_mask_storeu_epi16(c + (i + r) * ldc, columns, rounded(sums[r][0], sums[r][N - 1]));
      });
}
inline void product(int m, int n, const Operands& of, Bf16* c, ptrdiff_t ldc) {
  (n > kSide ? rounded_product_of<2> : rounded_product_of<1>)(m, n, of, c, ldc);
}
#endif

}  // namespace fer::cpu::FER_ISA
