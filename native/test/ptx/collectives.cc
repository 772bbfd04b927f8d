#include "collectives.h"

#include <cstdlib>

#include "arithmetic.h"
#include "memory.h"
#include "report.h"

namespace ptx {

void fence(Warp& w, const Inst&, uint32_t mask) { w.unfenced &= ~mask; }

void atomic_add(Warp& w, const Inst& i, uint32_t mask) {
  Block& b = *w.block;
  for (const Warp& other : *b.warps)
    if (other.unfenced) report("atomic without a fence before it", where(w, i), "warp " + std::to_string(other.index) + " has stores not fenced");
  lanes(mask, [&](int l) {
    const uint64_t at = reg<uint64_t>(w, i.o[0])[l] + i.displacement;
    if (at % 4 != 0 || !hits(i, at, 4)) return complain(w, i, l, "atomic's address", std::to_string(at));
    uint32_t* word = reinterpret_cast<uint32_t*>(at);
    reg<uint32_t>(w, i.o[1])[l] = *word;
    *word += reg<uint32_t>(w, i.o[2])[l];
    if (!checks_races()) return;
    Shadow& s = i.allocation->shadow[(at - i.allocation->begin) / 4];
    if (s.write_launch && s.write_launch != b.launch && !happened_before(s.write_launch, *b.clock))
      complain(w, i, l, "race between streams", "atomic's word was written by launch " + name_of_launch(s.write_launch));
    s.written = true;
    // Who adds later knows of all that was done before by who added earlier.
    std::vector<uint32_t>& known = b.released[at];
    known.resize(b.seen.size());
    for (size_t k = 0; k < known.size(); ++k) known[k] = b.seen[k] = std::max(known[k], b.seen[k]);
    known[b.number] = b.seen[b.number] = ++b.release;
  });
}

void shuffle_bfly(Warp& w, const Inst& i, uint32_t mask) {  // o: d, p (or 0), a, b, c, members
  const uint32_t *a = reg<uint32_t>(w, i.o[2]), *b = reg<uint32_t>(w, i.o[3]), *c = reg<uint32_t>(w, i.o[4]), *members = reg<uint32_t>(w, i.o[5]);
  uint32_t d[32], p = 0;
  std::memcpy(d, reg<uint32_t>(w, i.o[0]), sizeof d);
  for (uint32_t m = mask; m; m &= m - 1) {
    const uint32_t l = __builtin_ctz(m), clamp = c[l] & 31, segments = c[l] >> 8 & 31, last = (l & segments) | (clamp & ~segments & 31);
    if ((members[l] & w.exists) != mask) {
      char text[64];
      std::snprintf(text, sizeof text, "%08x are named, %08x came together", members[l], mask);
      report("shuffle of a warp that is apart", where(w, i), text);
    }
    uint32_t j = (l ^ b[l]) & 31;
    const bool in = j <= last;
    if (!in) j = l;
    if (!(mask >> j & 1)) complain(w, i, static_cast<int>(l), "shuffle from an inactive lane", std::to_string(j));
    d[l] = a[j];
    p |= static_cast<uint32_t>(in) << l;
  }
  std::memcpy(reg<uint32_t>(w, i.o[0]), d, sizeof d);
  if (i.o[1]) pred(w, i.o[1]) = (pred(w, i.o[1]) & ~mask) | p;
}

// Element positions as the manual's tables for .m16n8k8 (tf32) and .m16n8k16 (bf16) give them, element by element.
namespace {

template <bool kBf16>
void mma(Warp& w, const Inst& i, uint32_t mask) {  // o: d0-3, a0-3, b0-1, c0-3
  if (mask != ~0u) report("mma of a warp that is apart", where(w, i), who(w, 0));
  constexpr int kK = kBf16 ? 16 : 8;
  static thread_local double a[16][16], b[16][8];
  static thread_local float c[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane >> 2, in_group = lane & 3;
    if (kBf16) {
      for (int e = 0; e < 8; ++e) {  // a0..a7
        const int row = e == 0 || e == 1 || e == 4 || e == 5 ? group : group + 8, column = in_group * 2 + (e & 1) + (e >= 4 ? 8 : 0);
        const uint32_t word = reg<uint32_t>(w, i.o[4 + e / 2])[lane];
        a[row][column] = float_of(e & 1 ? word & 0xffff0000u : word << 16);
      }
      for (int e = 0; e < 4; ++e) {  // b0..b3
        const int row = in_group * 2 + (e & 1) + (e >= 2 ? 8 : 0), column = group;
        const uint32_t word = reg<uint32_t>(w, i.o[8 + e / 2])[lane];
        b[row][column] = float_of(e & 1 ? word & 0xffff0000u : word << 16);
      }
    } else {
      for (int e = 0; e < 4; ++e) {
        const int row = e == 0 || e == 2 ? group : group + 8, column = e < 2 ? in_group : in_group + 4;
        a[row][column] = float_of(reg<uint32_t>(w, i.o[4 + e])[lane] & 0xffffe000u);
      }
      for (int e = 0; e < 2; ++e) b[e == 0 ? in_group : in_group + 4][group] = float_of(reg<uint32_t>(w, i.o[8 + e])[lane] & 0xffffe000u);
    }
    for (int e = 0; e < 4; ++e) c[e < 2 ? group : group + 8][in_group * 2 + (e & 1)] = reg<float>(w, i.o[10 + e])[lane];
  }
  for (int row = 0; row < 16; ++row) {
    static const bool plain = std::getenv("FER_PTX_MMA_AS_SHIM");  // sums in its order, to compare bits
    if (plain) {
      for (int k = 0; k < kK; ++k)
        for (int column = 0; column < 8; ++column) c[row][column] += static_cast<float>(a[row][k]) * static_cast<float>(b[k][column]);
      continue;
    }
    double sums[8];
    for (int column = 0; column < 8; ++column) sums[column] = c[row][column];
    for (int k = 0; k < kK; ++k)
      for (int column = 0; column < 8; ++column) sums[column] += a[row][k] * b[k][column];
    for (int column = 0; column < 8; ++column) c[row][column] = static_cast<float>(sums[column]);
  }
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane >> 2, in_group = lane & 3;
    for (int e = 0; e < 4; ++e) reg<float>(w, i.o[e])[lane] = c[e < 2 ? group : group + 8][in_group * 2 + (e & 1)];
  }
}

}  // namespace

void mma_tf32(Warp& w, const Inst& i, uint32_t mask) { mma<false>(w, i, mask); }
void mma_bf16(Warp& w, const Inst& i, uint32_t mask) { mma<true>(w, i, mask); }

}  // namespace ptx
