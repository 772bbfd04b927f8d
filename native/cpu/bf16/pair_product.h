// The block of a product in vectors, by dot products of pairs (AVX512-BF16).
#pragma once
#include "cpu/bf16/block.h"

namespace fer::cpu::FER_ISA {

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

// A tile of the transpose of A as a left operand, from rows [0, m) and `n` columns of A: pairs are broadcast from wherever they lie,
// and so the tile of a right operand will do.
template <class S>
inline void transposed_tile(const S* p, ptrdiff_t stride, int m, int n, uint16_t* tile) {
  right_tile(p, stride, m, n, tile);
}
inline Left in_transposed_tiles(const uint16_t* at, int depth) {
  Left left = in_tiles(at, depth);
  left.line = 2;
  left.pair = 2 * kSide;
  return left;
}

}  // namespace fer::cpu::FER_ISA
