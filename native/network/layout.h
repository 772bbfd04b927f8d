// Where pieces of memory lie that are not all in use at once.
#pragma once
#include <cstddef>
#include <vector>

namespace fer {

// In use from step `first` to step `last`, both included.
struct Piece {
  size_t size;
  int first, last;
};

struct Layout {
  std::vector<size_t> offsets;  // of every piece, multiples of 16
  size_t size = 0;              // of all
};

// Pieces in use at the same step lie apart; others may share their place. Largest first, each at the lowest place that is free.
Layout lay_out(const std::vector<Piece>& pieces);

}  // namespace fer
