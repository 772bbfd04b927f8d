// What the block of a bf16 product is made of: C [m][n], m and n up to 32, = or += a left operand times a right one.
#pragma once
#include "cpu/bf16/operand.h"

namespace fer::cpu::FER_ISA {

inline constexpr int kBlock = 2 * kSide;  // rows and columns of C at once

// A left operand: in tiles, or rows of bf16 as they lie in memory, or (pair_product.h) a right operand seen transposed.
struct Left {
  const uint16_t* segment[3];  // pieces of the inner sum
  int segments, steps;         // tiles of a segment
  ptrdiff_t line, tile, next;  // values from line to line, from tile to tile of a row, and from tile row to tile row
  int pair = 2;                // and from pair to pair of the inner sum
  int last = kDepth / 2;       // pairs of the last tile that hold something; the rest are zeros
};
// `depth`: steps of the inner sum.
inline Left in_tiles(const uint16_t* at, int depth) {
  const int steps = tiles(depth, kDepth), last = (depth - (steps - 1) * kDepth + 1) / 2;
  return {{at}, 1, steps, kDepth, kTile, static_cast<ptrdiff_t>(steps) * kTile, 2, last};
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

}  // namespace fer::cpu::FER_ISA
