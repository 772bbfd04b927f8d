#include "network/layout.h"

#include <algorithm>
#include <numeric>

namespace fer {

Layout lay_out(const std::vector<Piece>& pieces) {
  auto rounded = [&](size_t i) { return (pieces[i].size + 15) / 16 * 16; };
  std::vector<size_t> order(pieces.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return pieces[a].size > pieces[b].size; });

  Layout layout{.offsets = std::vector<size_t>(pieces.size())};
  std::vector<size_t> placed;  // by offset
  for (const size_t i : order) {
    size_t at = 0;
    for (const size_t other : placed) {
      const bool together = pieces[other].first <= pieces[i].last && pieces[i].first <= pieces[other].last;
      if (together && layout.offsets[other] < at + rounded(i)) at = std::max(at, layout.offsets[other] + rounded(other));
    }
    layout.offsets[i] = at;
    layout.size = std::max(layout.size, at + rounded(i));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), at, [&](size_t to, size_t p) { return to < layout.offsets[p]; }), i);
  }
  return layout;
}

}  // namespace fer
