#include "races.h"

#include <cstdlib>
#include <map>

#include "report.h"

namespace ptx {
namespace {

struct Launch {
  int stream;
  uint32_t clock;
  std::string name;
};
std::vector<Launch> launches(1);
std::map<uintptr_t, Allocation> allocations;

}  // namespace

bool checks_races() {
  static const char* value = std::getenv("FER_PTX_RACES");
  static const bool on = !value || std::string(value) != "0";
  return on;
}

void add_allocation(void* memory, size_t bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  allocations[begin] = {begin, begin + bytes, checks_races() ? std::make_unique<Shadow[]>((bytes + 3) / 4) : nullptr};
}

void remove_allocation(void* memory) { allocations.erase(reinterpret_cast<uintptr_t>(memory)); }

Allocation* find_allocation(uintptr_t at, size_t bytes) {
  auto next = allocations.upper_bound(at);
  if (next == allocations.begin()) return nullptr;
  Allocation& a = std::prev(next)->second;
  return at + bytes <= a.end ? &a : nullptr;
}

uint32_t begin_launch(const std::string& name, Clock& clock) {
  if (clock.id >= static_cast<int>(clock.seen.size())) clock.seen.resize(clock.id + 1);
  launches.push_back({clock.id, ++clock.seen[clock.id], name});
  return static_cast<uint32_t>(launches.size() - 1);
}

const std::string& name_of_launch(uint32_t launch) { return launches[launch].name; }

bool happened_before(uint32_t launch, const Clock& now) { return now.of(launches[launch].stream) >= launches[launch].clock; }

void check_global(const Accessor& who, const Allocation& allocation, uintptr_t at, uint32_t bytes, bool writes, Complain complain, void* context) {
  auto wrong = [&](const char* kind, const std::string& what) { complain(context, kind, what); };
  for (uintptr_t word = (at - allocation.begin) / 4; word <= (at + bytes - 1 - allocation.begin) / 4; ++word) {
    Shadow& s = allocation.shadow[word];
    if (s.write_launch) {
      if (s.write_launch != who.launch) {
        if (!happened_before(s.write_launch, *who.clock))
          wrong("race between streams", "written by launch " + launches[s.write_launch].name + ", which need not have ended");
      } else if (s.write_block == who.block) {
        if (s.write_epoch == who.epoch && s.write_thread != who.thread)
          wrong("global race in a block", "written by thread " + std::to_string(s.write_thread) + " without a barrier between");
      } else if ((*who.seen)[s.write_block] <= s.write_release) {
        wrong("global race between blocks", "written by block " + std::to_string(s.write_block));
      }
    }
    if (!s.written && !writes)
      wrong("uninitialised global memory",
            "allocation of " + std::to_string(allocation.end - allocation.begin) + " bytes at word " + std::to_string(word));
    if (writes) {
      if (s.read_launch) {
        if (s.read_launch != who.launch) {
          if (!happened_before(s.read_launch, *who.clock) || (s.other_read_launch && !happened_before(s.other_read_launch, *who.clock)))
            wrong("race between streams", "read by launch " + launches[s.read_launch].name + ", which need not have ended");
        } else {
          if (s.other_read_launch && !happened_before(s.other_read_launch, *who.clock))
            wrong("race between streams", "read by launch " + launches[s.other_read_launch].name + ", which need not have ended");
          if (s.read_blocks_many) wrong("global race between blocks", "read by several blocks");
          else if (s.read_block == who.block) {
            if (s.read_epoch == who.epoch && s.read_thread != who.thread)
              wrong("global race in a block", "read by thread " + std::to_string(s.read_thread) + " without a barrier between");
          } else if ((*who.seen)[s.read_block] <= s.read_release) {
            wrong("global race between blocks", "read by block " + std::to_string(s.read_block));
          }
        }
      }
      s.write_launch = who.launch;
      s.write_block = who.block;
      s.write_epoch = who.epoch;
      s.write_release = who.release;
      s.write_thread = who.thread;
      s.written = true;
    } else if (s.read_launch != who.launch) {
      if (s.read_launch && launches[s.read_launch].stream != who.clock->id) s.other_read_launch = s.read_launch;
      s.read_launch = who.launch;
      s.read_block = who.block;
      s.read_epoch = who.epoch;
      s.read_release = who.release;
      s.read_thread = who.thread;
      s.read_blocks_many = false;
    } else if (s.read_block != who.block) {
      s.read_blocks_many = true;
    } else {
      if (s.read_epoch == who.epoch && s.read_thread != who.thread) s.read_thread = 0xffff;
      else if (s.read_epoch != who.epoch) s.read_thread = who.thread;
      s.read_epoch = who.epoch;
      s.read_release = who.release;
    }
  }
}

void touch(const char* what, const void* memory, size_t bytes, bool writes, Clock& clock) {
  if (!checks_races() || bytes == 0) return;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  Allocation* found = find_allocation(begin, 1);
  if (!found) return;  // the host's
  Allocation& a = *found;
  if (begin + bytes > a.end) report("copy out of bounds", what, std::to_string(bytes) + " bytes");
  const uint32_t launch = begin_launch(what, clock);
  for (uintptr_t word = (begin - a.begin) / 4; word <= (begin + bytes - 1 - a.begin) / 4 && word < (a.end - a.begin + 3) / 4; ++word) {
    Shadow& s = a.shadow[word];
    if (s.write_launch && !happened_before(s.write_launch, clock))
      report("race between streams", what, "after writing by " + launches[s.write_launch].name);
    if (writes) {
      if (s.read_launch && !happened_before(s.read_launch, clock))
        report("race between streams", what, "after reading by " + launches[s.read_launch].name);
      s.write_launch = launch;
      s.write_block = s.write_epoch = 0;
      s.written = true;
    } else {
      if (s.read_launch && launches[s.read_launch].stream != clock.id) s.other_read_launch = s.read_launch;
      s.read_launch = launch;
      s.read_blocks_many = false;
    }
  }
}

}  // namespace ptx
