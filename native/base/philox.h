// Philox 4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3" (SC 2011). A draw is a pure function of (key, counter), so CPU and GPU, or a run and its
// continuation, see the same numbers without sharing state.
#pragma once
#include <array>
#include <cmath>
#include <cstdint>

namespace fer {

using Draw = std::array<uint32_t, 4>;

constexpr Draw philox(uint64_t key, Draw counter) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<uint32_t>(p1), static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ k1,
               static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return counter;
}

// Uniform in [0, 1) with 24 bits, so that every value is exact in float.
constexpr float uniform(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24f; }

// What a stream of draws is for; part of the counter, so that streams never overlap.
enum class Stream : uint32_t { kShuffle = 1, kAugment = 2, kInitialise = 3, kSample = 4, kPerturb = 5 };

}  // namespace fer
