// Who has touched which word of memory, and what must have happened before: a shadow a word.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ptx {

// Device memory, with a shadow a word. Launches are numbered from 1; 0: none.
struct Shadow {
  uint32_t write_launch = 0, write_block, write_epoch, write_release;
  uint32_t read_launch = 0, read_block, read_epoch, read_release;
  uint32_t other_read_launch = 0;      // the last read from another stream
  uint16_t write_thread, read_thread;  // 0xffff: several
  bool read_blocks_many = false, written = false;
};
struct Allocation {
  uintptr_t begin, end;
  std::unique_ptr<Shadow[]> shadow;
};
void add_allocation(void* memory, size_t bytes);
void remove_allocation(void* memory);
// The allocation that holds all of it; null: none.
Allocation* find_allocation(uintptr_t at, size_t bytes);

// A stream's knowledge of what all streams had done.
struct Clock {
  int id = 0;
  std::vector<uint32_t> seen;
  uint32_t of(int other) const { return other < static_cast<int>(seen.size()) ? seen[other] : 0; }
  void join(const std::vector<uint32_t>& other) {
    if (other.size() > seen.size()) seen.resize(other.size());
    for (size_t i = 0; i < other.size(); ++i) seen[i] = std::max(seen[i], other[i]);
  }
};

// Begins a launch (or copy) of that name on the clock's stream; its number.
uint32_t begin_launch(const std::string& name, Clock& clock);
const std::string& name_of_launch(uint32_t launch);
bool happened_before(uint32_t launch, const Clock& now);

// A thread of the running launch, as accesses are judged.
struct Accessor {
  uint32_t launch, block, epoch, release;  // epoch: barriers passed; release: atomics done
  uint16_t thread;
  const std::vector<uint32_t>* seen;  // releases of other blocks
  const Clock* clock;
};
// What is wrong with an access, "kind" and "what", once a problem.
using Complain = void (*)(void* context, const char* kind, const std::string& what);
void check_global(const Accessor& who, const Allocation& allocation, uintptr_t at, uint32_t bytes, bool writes, Complain complain, void* context);

// A copy or a memset as the race detector sees it.
void touch(const char* what, const void* memory, size_t bytes, bool writes, Clock& clock);

// FER_PTX_RACES=0 leaves them out: several times as fast.
bool checks_races();

}  // namespace ptx
