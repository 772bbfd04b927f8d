// Instructions of a warp together, and atomics with their fences.
#pragma once
#include "warp.h"

namespace ptx {

void fence(Warp& w, const Inst& i, uint32_t mask);
void atomic_add(Warp& w, const Inst& i, uint32_t mask);
void shuffle_bfly(Warp& w, const Inst& i, uint32_t mask);
void mma_tf32(Warp& w, const Inst& i, uint32_t mask);
void mma_bf16(Warp& w, const Inst& i, uint32_t mask);

}  // namespace ptx
