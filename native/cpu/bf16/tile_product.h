// The block of a product in tile registers (AMX).
#pragma once
#include "cpu/bf16/block.h"

namespace fer::cpu::FER_ISA {

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

// A tile of the transpose of A as a left operand, from rows [0, m) and `n` columns of A.
template <class S>
inline void transposed_tile(const S* p, ptrdiff_t stride, int m, int n, uint16_t* tile) {
  alignas(64) uint16_t pairs[kTile];
  right_tile(p, stride, m, n, pairs);
  transpose_pairs(pairs, tile);
}
inline Left in_transposed_tiles(const uint16_t* at, int depth) { return in_tiles(at, depth); }

}  // namespace fer::cpu::FER_ISA
