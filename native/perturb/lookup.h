// Perturbations that change each grey value by itself: one table of 256.
#pragma once
#include <array>

#include "perturb/perturbation.h"

namespace fer::perturb {

using Table = std::array<uint8_t, 256>;

// `tone` takes a grey value as double and returns one that is rounded and saturated.
template <class Tone>
Table table_of(Tone&& tone) {
  Table table;
  for (int grey = 0; grey < 256; ++grey) table[grey] = saturate(tone(static_cast<double>(grey)));
  return table;
}

inline void look_up(const Table& table, const Image& in, uint8_t* out) {
  std::transform(in.pixels, in.pixels + in.size.pixels(), out, [&](uint8_t grey) { return table[grey]; });
}

class Lookup : public Perturbation {
 public:
  explicit Lookup(const Table& table) : table_(table) {}
  void apply(const Image& in, const Draws&, uint8_t* out) const override { look_up(table_, in, out); }

 private:
  Table table_;
};

}  // namespace fer::perturb
