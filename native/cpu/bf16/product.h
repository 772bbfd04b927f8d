// One block of a bf16 product: C [m][n], m and n up to 32, = or += a left operand times a right one.
#pragma once
#include "cpu/bf16/operand.h"

namespace fer::cpu::FER_ISA {

inline constexpr int kBlock = 2 * kSide;  // rows and columns of C at once

// A left operand: in tiles, or rows of bf16 as they lie in memory.
struct Left {
  const uint16_t* segment[3];  // pieces of the inner sum
  int segments, steps;         // tiles of a segment
  ptrdiff_t line, tile, next;  // values from line to line, from tile to tile of a row, and from tile row to tile row
};
inline Left in_tiles(const uint16_t* at, int steps) { return {{at}, 1, steps, kDepth, kTile, static_cast<ptrdiff_t>(steps) * kTile}; }
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
#else
inline void operands_written() {}
struct TileShape {
  TileShape() {}
};

// Eight rows against N vectors: 8 N sums, N loads of the right operand and eight broadcasts of pairs a step.
template <int M, int N>
inline void whole(const Operands& of, float* c, ptrdiff_t ldc, bool add) {
  constexpr int kRows = 8;
  for (int i = 0; i < M * kSide; i += kRows) {
    __m512 sums[kRows][N];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
      for (int j = 0; j < N; ++j) sums[r][j] = add ? _mm512_loadu_ps(c + (i + r) * ldc + j * kSide) : _mm512_setzero_ps();
    const uint16_t* right = of.right;
    for (int segment = 0; segment < of.left.segments; ++segment) {
      const uint16_t* left = of.left.segment[segment] + (i / kSide) * of.left.next + (i % kSide) * of.left.line;
      for (int s = 0; s < of.left.steps; ++s, left += of.left.tile)
        for (int pair = 0; pair < kDepth; pair += 2, right += 2 * kSide) {
          __m512i b[N];
#pragma GCC unroll 2
          for (int j = 0; j < N; ++j) b[j] = _mm512_loadu_si512(right + j * of.next());
#pragma GCC unroll 8
          for (int r = 0; r < kRows; ++r) {
            int values;
            std::memcpy(&values, left + r * of.left.line + pair, sizeof values);
            const __m512i a = _mm512_set1_epi32(values);
#pragma GCC unroll 2
            for (int j = 0; j < N; ++j) sums[r][j] = add_products(sums[r][j], a, b[j]);
          }
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 2
      for (int j = 0; j < N; ++j) _mm512_storeu_ps(c + (i + r) * ldc + j * kSide, sums[r][j]);
  }
}
#endif

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

}  // namespace fer::cpu::FER_ISA
