#include "cpu/packed_weights.h"

#include <functional>

namespace fer::cpu {

const float* PackedWeights::get(const Kernels& kernels, const float* b, int k, int n) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[{b, k, n}];
  if (!entry.fresh) {
    if (!entry.memory) entry.memory = make_floats(packed_size(k, n));
    kernels.pack(b, k, n, false, 0, n, entry.memory.get());
    entry.fresh = true;
  }
  return entry.memory.get();
}

void PackedWeights::written(const void* begin, size_t bytes) {
  const std::less<const void*> before;  // addresses of different pieces compare, too
  const void* end = static_cast<const char*>(begin) + bytes;
  std::lock_guard lock(mutex_);
  for (auto& [key, entry] : entries_) {
    const auto& [b, k, n] = key;
    if (before(b, end) && before(begin, b + static_cast<size_t>(k) * n)) entry.fresh = false;
  }
}

}  // namespace fer::cpu
