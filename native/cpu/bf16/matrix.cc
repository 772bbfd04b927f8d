// Matrix products in bf16, sums in float32, of operands in float32 or bf16; what is float32 is rounded as it is brought into tiles.
// Compiled once per instruction set (FER_ISA: avx512_bf16, amx_bf16).
#include <type_traits>

#include "cpu/bf16/product.h"
#include "cpu/passes/passes.h"
#include "cpu/thread_room.h"

namespace fer::cpu::FER_ISA {
namespace {

inline constexpr int kSmall = 128 * 128;  // values of B in the first-level cache: 32 KB
inline constexpr int kRows = 288;         // in tiles at once: with 1024 columns 576 KB, which leaves the second-level cache room

uint16_t* operand(Room room, int rows, int columns) {
  return static_cast<uint16_t*>(thread_room(room, static_cast<size_t>(tiles(rows, kSide)) * tiles(columns, kDepth) * kTile * sizeof(uint16_t)));
}

void pack(const float* b, int k, int n, bool transposed, int first, int end, float* packed) {
  if (!worth_bf16(k, n)) return v4::kernels().pack(b, k, n, transposed, first, end, packed);
  uint16_t* out = reinterpret_cast<uint16_t*>(packed) + static_cast<ptrdiff_t>(first / kSide) * tiles(k, kDepth) * kTile;
  alignas(64) uint16_t left[kTile];
  for (int j = first; j < end; j += kSide)
    for (int i = 0; i < k; i += kDepth, out += kTile)
      if (!transposed) {
        right_tile(b + static_cast<ptrdiff_t>(i) * n + j, n, k - i, n - j, out);
      } else {  // stored [n][k]: lines of a left operand, transposed
        left_operand(Rows{{b + i}, 1, std::min(k - i, kDepth), k}, j, std::min(n - j, kSide), 1, left);
        transpose_pairs(left, out);
      }
}

// Where a product goes is cold, and a store waits for its lines: asked for early, they come meanwhile.
template <class C>
void ask_for(C* c, int width, int height, ptrdiff_t ldc) {
  for (int r = 0; r < height; ++r)
    for (int line = 0; line < width; line += 64 / static_cast<int>(sizeof(C))) __builtin_prefetch(c + r * ldc + line, 0, 2);
}

template <class S, class C>
void multiply_rows(int m, int n, const RowsOf<S>& a, const float* packed, C* c) {
  const int k = a.segments * a.k, steps = tiles(k, kDepth);
  const uint16_t* right = reinterpret_cast<const uint16_t*>(packed);
  const ptrdiff_t tile_row = static_cast<ptrdiff_t>(steps) * kTile;
  uint16_t* left = operand(Room::kLeft, std::min(m, kRows), k);
  const TileShape shape;
  for (int first = 0; first < m; first += kRows) {
    const int rows = std::min(kRows, m - first);
    // Rows of bf16 are tiles already, but for the last ones, where a tile would reach past them.
    int whole = 0;
    if constexpr (std::is_same_v<S, Bf16>)
      if (a.k % kDepth == 0) whole = rows / kBlock * kBlock;
    left_operand(a, first + whole, rows - whole, steps, left);
    operands_written();
    const auto left_from = [&](int i) {
      if constexpr (std::is_same_v<S, Bf16>)
        if (i < whole) return as_it_lies(a, first + i);
      return in_tiles(left + (i - whole) / kSide * tile_row, k);
    };
    const auto block = [&](int i, int j) {
      C* to = c + static_cast<ptrdiff_t>(first + i) * n + j;
      const int height = std::min(kBlock, rows - i), width = std::min(kBlock, n - j);
      ask_for(to, width, height, n);
      const Operands of{left_from(i), right + j / kSide * tile_row};
      if constexpr (std::is_same_v<C, float>) product(height, width, of, to, n, false);
      else product(height, width, of, to, n);
    };
    if (k * n <= kSmall) {  // all of B stays in the first-level cache, and C is written row after row
      for (int i = 0; i < rows; i += kBlock)
        for (int j = 0; j < n; j += kBlock) block(i, j);
    } else {  // of B two tile rows at a time
      for (int j = 0; j < n; j += kBlock)
        for (int i = 0; i < rows; i += kBlock) block(i, j);
    }
  }
}

template <class S>
void accumulate_outer(int m, int n, const RowsOf<S>& a, const S* c, float* w) {
  uint16_t *left = operand(Room::kLeft, a.k, std::min(m, kRows)), *right = operand(Room::kRight, n, std::min(m, kRows));
  const TileShape shape;
  for (int first = 0; first < m; first += kRows) {
    const int rows = std::min(kRows, m - first), steps = tiles(rows, kDepth);
    const ptrdiff_t tile_row = static_cast<ptrdiff_t>(steps) * kTile;
    for (int s = 0; s < steps; ++s) {
      const S* p = c + static_cast<ptrdiff_t>(first + s * kDepth) * n;
      for (int j = 0; j < n; j += kSide) right_tile(p + j, n, rows - s * kDepth, n - j, right + j / kSide * tile_row + s * kTile);
    }
    for (int segment = 0; segment < a.segments; ++segment) {
      for (int s = 0; s < steps; ++s) {
        const S* p = a.segment[segment] + (first + s * kDepth) * a.stride;
        for (int k = 0; k < a.k; k += kSide) transposed_tile(p + k, a.stride, rows - s * kDepth, a.k - k, left + k / kSide * tile_row + s * kTile);
      }
      operands_written();
      float* out = w + static_cast<ptrdiff_t>(segment) * a.k * n;
      for (int k = 0; k < a.k; k += kBlock)
        for (int j = 0; j < n; j += kBlock) {
          const int height = std::min(kBlock, a.k - k), width = std::min(kBlock, n - j);
          float* to = out + static_cast<ptrdiff_t>(k) * n + j;
          // The next block comes from far while this one is worked at.
          if (j + kBlock < n) ask_for(to + kBlock, std::min(kBlock, n - j - kBlock), height, n);
          product(height, width, {in_transposed_tiles(left + k / kSide * tile_row, rows), right + j / kSide * tile_row}, to, n, true);
        }
    }
  }
}

// A product too small for tiles is float32's, by way of floats where something is stored as bf16.
template <class S, class C>
void multiply(int m, int n, const RowsOf<S>& a, const float* packed, C* c) {
  if (worth_bf16(a.segments * a.k, n)) multiply_rows(m, n, a, packed, c);
  else if constexpr (std::is_same_v<S, float>) v4::kernels().multiply_rows(m, n, a, packed, c);
  else if constexpr (std::is_same_v<C, float>) v4::bf16_kernels().half.multiply_rows_to_floats(m, n, a, packed, c);
  else v4::bf16_kernels().half.multiply_rows(m, n, a, packed, c);
}

template <class S>
void outer(int m, int n, const RowsOf<S>& a, const S* c, float* w) {
  if (worth_bf16(a.k, n)) accumulate_outer(m, n, a, c, w);
  else if constexpr (std::is_same_v<S, float>) v4::kernels().accumulate_outer(m, n, a, c, w);
  else v4::bf16_kernels().half.accumulate_outer(m, n, a, c, w);
}

}  // namespace

const Kernels& bf16_kernels() {
  static const Kernels table = [] {
    Kernels all = v4::kernels();
    all.half = passes<Bf16>();
    all.name = FER_ISA_NAME;
    all.rounds_factors = true;
    all.pack = pack;
    all.multiply_rows = all.multiply_rows_to_floats = multiply<float, float>;
    all.accumulate_outer = outer<float>;
    all.half.multiply_rows = multiply<Bf16, Bf16>;
    all.half.multiply_rows_to_floats = multiply<Bf16, float>;
    all.half.accumulate_outer = outer<Bf16>;
    return all;
  }();
  return table;
}

}  // namespace fer::cpu::FER_ISA
