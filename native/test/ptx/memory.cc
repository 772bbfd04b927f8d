#include "memory.h"

#include "report.h"

namespace ptx {

void complain(const Warp& w, const Inst& i, int lane, const std::string& kind, const std::string& what) {
  report(kind, where(w, i), who(w, lane) + ", " + what);
}

bool hits(const Inst& i, uintptr_t at, uint32_t bytes) {
  if (at >= i.begin && at + bytes <= i.end) return true;
  Allocation* found = find_allocation(at, bytes);
  if (!found) return false;
  i.begin = found->begin;
  i.end = found->end;
  i.allocation = found;
  return true;
}

void judge(Warp& w, const Inst& i, int lane, uintptr_t at, uint32_t bytes, bool writes) {
  const Block& b = *w.block;
  struct Place {
    const Warp& w;
    const Inst& i;
    int lane;
  } place{w, i, lane};
  const Accessor accessor{b.launch, b.number, b.epoch, b.release, static_cast<uint16_t>(w.index * 32 + static_cast<uint32_t>(lane)),
                          &b.seen,  b.clock};
  check_global(
      accessor, *i.allocation, at, bytes, writes,
      [](void* context, const char* kind, const std::string& what) {
        const Place& at = *static_cast<Place*>(context);
        complain(at.w, at.i, at.lane, kind, what);
      },
      &place);
}

void check_shared(Warp& w, const Inst& i, int lane, uint64_t at, uint32_t bytes, bool writes) {
  Block& b = *w.block;
  const auto thread = static_cast<uint16_t>(w.index * 32 + lane);
  for (uint32_t word = at / 4; word <= (at + bytes - 1) / 4; ++word) {
    SharedShadow& s = b.shadow[word];
    if (s.write_epoch == b.epoch && s.write_thread != thread)
      complain(w, i, lane, "shared race",
               "word " + std::to_string(word) + " was written by thread " + std::to_string(s.write_thread) + " without a barrier between");
    if (writes) {
      if (s.read_epoch == b.epoch && s.read_thread != thread)
        complain(w, i, lane, "shared race",
                 "word " + std::to_string(word) + " was read by thread " + std::to_string(s.read_thread) + " without a barrier between");
      s.write_epoch = b.epoch;
      s.write_thread = thread;
      s.written = true;
    } else {
      if (!s.written) complain(w, i, lane, "uninitialised shared memory", "word " + std::to_string(word));
      if (s.read_epoch == b.epoch) {
        if (s.read_thread != thread) s.read_thread = 0xffff;
      } else {
        s.read_epoch = b.epoch;
        s.read_thread = thread;
      }
    }
  }
}

}  // namespace ptx
