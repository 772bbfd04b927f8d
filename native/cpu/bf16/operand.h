// Operands of bf16 products: rows of float32, rounded, or of bf16, cut into tiles.
//
// An operand is a list of tile rows, each `steps` tiles of 1 KB in the order of use: 16 lines of 64 bytes, which hold
//   left:   16 rows of the product, 32 steps of the inner sum each;
//   right:  16 pairs of steps of the inner sum, 16 columns each, the pair's two values side by side.
#pragma once
#include <algorithm>

#include "cpu/bf16/instructions.h"
#include "cpu/kernels.h"

namespace fer::cpu::FER_ISA {

inline constexpr int kSide = 16;              // rows or columns of a tile
inline constexpr int kDepth = 32;             // steps of the inner sum in a tile
inline constexpr int kTile = kSide * kDepth;  // bf16 values in a tile

constexpr int tiles(int count, int size) { return (count + size - 1) / size; }

inline __mmask16 lanes(int count) { return count >= 16 ? __mmask16{0xffff} : static_cast<__mmask16>((1u << std::max(count, 0)) - 1); }

// 32 floats, of which `count` are there, as a line of a left operand.
inline __m512i line_of(const float* p, int count) {
  return rounded(_mm512_maskz_loadu_ps(lanes(count), p), _mm512_maskz_loadu_ps(lanes(count - 16), p + 16));
}

inline __m512i line_of(const Bf16* p, int count) {
  return count >= kDepth ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi16(static_cast<__mmask32>((uint64_t{1} << std::max(count, 0)) - 1), p);
}

// Two rows of 16 values one after the other as a line of a right operand.
inline __m512i interleaved(__m512i rows) {
  const __m512i order =
      _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  return _mm512_permutexvar_epi16(order, rows);
}
inline __m512i pair_of(const float* even, const float* odd, __mmask16 of_even, __mmask16 of_odd) {
  return interleaved(rounded(_mm512_maskz_loadu_ps(of_even, even), _mm512_maskz_loadu_ps(of_odd, odd)));
}
inline __m512i pair_of(const Bf16* even, const Bf16* odd, __mmask16 of_even, __mmask16 of_odd) {
  const __m256i low = _mm256_maskz_loadu_epi16(of_even, even), high = _mm256_maskz_loadu_epi16(of_odd, odd);
  return interleaved(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1));
}

// Rows [0, m) of up to 32, `stride` values apart, and `n` columns of up to 16, as one tile of a right operand.
template <class S>
inline void right_tile(const S* p, ptrdiff_t stride, int m, int n, uint16_t* tile) {
  const __mmask16 columns = lanes(n);
  for (int i = 0; i < kDepth; i += 2, p += 2 * stride, tile += 2 * kSide)
    _mm512_storeu_si512(tile, i < m ? pair_of(p, p + stride, columns, i + 1 < m ? columns : __mmask16{0}) : _mm512_setzero_si512());
}

// The transpose of a tile seen as 16 x 16 pairs: right operand to left operand of the transposed matrix, and back. Quarters of
// rows are put together as they are loaded, which leaves two shuffles a line.
inline void transpose_pairs(const uint16_t* in, uint16_t* out) {
  for (int q = 0; q < 4; ++q) {
    __m512i r[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const auto piece = [&](int l) { return _mm_load_si128(reinterpret_cast<const __m128i*>(in + (i + 4 * l) * kDepth + 8 * q)); };
      r[i] = _mm512_castsi128_si512(piece(0));
      r[i] = _mm512_mask_broadcast_i32x4(r[i], 0x00f0, piece(1));
      r[i] = _mm512_mask_broadcast_i32x4(r[i], 0x0f00, piece(2));
      r[i] = _mm512_mask_broadcast_i32x4(r[i], 0xf000, piece(3));
    }
    const __m512i a = _mm512_unpacklo_epi32(r[0], r[1]), b = _mm512_unpackhi_epi32(r[0], r[1]);
    const __m512i c = _mm512_unpacklo_epi32(r[2], r[3]), d = _mm512_unpackhi_epi32(r[2], r[3]);
    uint16_t* line = out + 4 * q * kDepth;
    _mm512_storeu_si512(line, _mm512_unpacklo_epi64(a, c));
    _mm512_storeu_si512(line + kDepth, _mm512_unpackhi_epi64(a, c));
    _mm512_storeu_si512(line + 2 * kDepth, _mm512_unpacklo_epi64(b, d));
    _mm512_storeu_si512(line + 3 * kDepth, _mm512_unpackhi_epi64(b, d));
  }
}

// Rows [0, m) of A, moved on by `first` rows, as a left operand of `steps` tiles a row.
template <class S>
inline void left_operand(const RowsOf<S>& a, ptrdiff_t first, int m, int steps, uint16_t* out) {
  for (int i = 0; i < tiles(m, kSide) * kSide; ++i) {
    uint16_t* line = out + (static_cast<ptrdiff_t>(i / kSide) * steps * kSide + i % kSide) * kDepth;
    const ptrdiff_t row = (first + i) * a.stride;
    if (i >= m) {
      for (int s = 0; s < steps; ++s) _mm512_store_si512(line + static_cast<ptrdiff_t>(s) * kTile, _mm512_setzero_si512());
    } else if (a.segments == 1 || a.k % kDepth == 0) {
      for (int s = 0; s < a.segments; ++s)
        for (int k = 0; k < a.k; k += kDepth, line += kTile) _mm512_store_si512(line, line_of(a.segment[s] + row + k, a.k - k));
    } else {  // segments that share lines
      for (int s = 0; s < steps; ++s, line += kTile) {
        alignas(64) S together[kDepth] = {};
        for (int j = 0, k = s * kDepth; j < kDepth && k < a.segments * a.k; ++j, ++k) together[j] = a.segment[k / a.k][row + k % a.k];
        _mm512_store_si512(line, line_of(together, kDepth));
      }
    }
  }
}

}  // namespace fer::cpu::FER_ISA
