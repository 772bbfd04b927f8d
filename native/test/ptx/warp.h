// A warp as it runs: 32 lanes in lockstep, in groups by their place in the code; and its block.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "program.h"
#include "races.h"

namespace ptx {

struct SharedShadow {
  uint32_t write_epoch = 0, read_epoch = 0;
  uint16_t write_thread = 0, read_thread = 0;
  bool written = false;
};

struct Block {
  const Kernel* kernel;
  std::vector<uint8_t> parameters, shared;
  std::vector<SharedShadow> shadow;
  std::vector<std::vector<uint8_t>> local;  // a thread
  uint32_t epoch = 1, number = 0, release = 0, launch = 0;
  std::vector<uint32_t> seen;  // releases of other blocks
  const Clock* clock;
  std::vector<Warp>* warps;
  std::map<uintptr_t, std::vector<uint32_t>> released;  // of this launch, by the atomics' address
};

struct Group {
  uint32_t pc, mask;
};
struct Warp {
  uint8_t* regs;
  Block* block;
  uint32_t index, exists, live, unfenced;  // lanes; unfenced: with stores since the last fence
  std::vector<Group> pending, waiting;     // waiting: at a barrier
};

inline std::string where(const Warp& w, const Inst& i) { return w.block->kernel->name + " PTX line " + std::to_string(i.line) + ": " + i.text; }
inline std::string who(const Warp& w, int lane) {
  return "block " + std::to_string(w.block->number) + " thread " + std::to_string(w.index * 32 + static_cast<uint32_t>(lane));
}

template <class T>
T* reg(Warp& w, uint32_t offset) {
  return reinterpret_cast<T*>(w.regs + offset);
}
// A predicate: a bit a lane.
inline uint32_t& pred(Warp& w, uint32_t offset) { return *reinterpret_cast<uint32_t*>(w.regs + offset); }

template <class F>
void lanes(uint32_t mask, const F& f) {
  if (mask == ~0u)
    for (int l = 0; l < 32; ++l) f(l);
  else
    for (uint32_t m = mask; m; m &= m - 1) f(__builtin_ctz(m));
}

void complain(const Warp& w, const Inst& i, int lane, const std::string& kind, const std::string& what);

}  // namespace ptx
