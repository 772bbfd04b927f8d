// Loads and stores: every access is checked before it is done.
#pragma once
#include <cstdio>
#include <cstring>

#include "warp.h"

namespace ptx {

enum Space { kGlobal, kShared, kLocal, kParam };

// Whether all of it lies in one allocation, which the instruction then remembers.
bool hits(const Inst& i, uintptr_t at, uint32_t bytes);
void check_shared(Warp& w, const Inst& i, int lane, uint64_t at, uint32_t bytes, bool writes);
// Of the allocation that was hit.
void judge(Warp& w, const Inst& i, int lane, uintptr_t at, uint32_t bytes, bool writes);

// The lane's memory, null where it has none (reported).
template <Space kSpace>
uint8_t* locate(Warp& w, const Inst& i, int lane, uint64_t at, bool writes) {
  const uint32_t bytes = i.bytes * i.count;
  if (at % bytes != 0) {
    complain(w, i, lane, "misaligned address", std::to_string(at));
    return nullptr;
  }
  Block& b = *w.block;
  if constexpr (kSpace == kGlobal) {
    if (!hits(i, at, bytes)) {
      char text[32];
      std::snprintf(text, sizeof text, "%#lx", at);
      complain(w, i, lane, "global address out of bounds", text);
      return nullptr;
    }
    if (checks_races()) judge(w, i, lane, at, bytes, writes);
    return reinterpret_cast<uint8_t*>(at);
  } else if constexpr (kSpace == kShared) {
    if (at + bytes > b.shared.size() || !b.kernel->shared_valid[at] || !b.kernel->shared_valid[at + bytes - 1]) {
      complain(w, i, lane, "shared address out of bounds", std::to_string(at));
      return nullptr;
    }
    if (checks_races()) check_shared(w, i, lane, at, bytes, writes);
    return b.shared.data() + at;
  } else if constexpr (kSpace == kLocal) {
    std::vector<uint8_t>& local = b.local[w.index * 32 + lane];
    if (at + bytes > local.size()) {
      complain(w, i, lane, "local address out of bounds", std::to_string(at));
      return nullptr;
    }
    return local.data() + at;
  } else {
    if (at + bytes > b.parameters.size()) {
      complain(w, i, lane, "parameter out of bounds", std::to_string(at));
      return nullptr;
    }
    return b.parameters.data() + at;
  }
}

// o[0]: address (register of `displacement_bytes`), o[1..]: values.
template <Space kSpace, class Address, class T, class R>
void load(Warp& w, const Inst& i, uint32_t mask) {
  const Address* address = reg<Address>(w, i.o[0]);
  lanes(mask, [&](int l) {
    const uint8_t* from = locate<kSpace>(w, i, l, static_cast<uint64_t>(address[l]) + i.displacement, false);
    for (int k = 0; k < i.count; ++k) {
      T v;
      if (from) std::memcpy(&v, from + k * sizeof(T), sizeof(T));
      else std::memset(&v, 0xff, sizeof(T));
      reg<R>(w, i.o[1 + k])[l] = static_cast<R>(v);
    }
  });
}
template <Space kSpace, class Address, class T, class R>
void store(Warp& w, const Inst& i, uint32_t mask) {
  const Address* address = reg<Address>(w, i.o[0]);
  if (kSpace == kGlobal) w.unfenced |= mask;
  lanes(mask, [&](int l) {
    uint8_t* to = locate<kSpace>(w, i, l, static_cast<uint64_t>(address[l]) + i.displacement, true);
    if (!to) return;
    for (int k = 0; k < i.count; ++k) {
      const T v = static_cast<T>(reg<R>(w, i.o[1 + k])[l]);
      std::memcpy(to + k * sizeof(T), &v, sizeof(T));
    }
  });
}

}  // namespace ptx
