// Memory of the CPU backend, and the scratch its threads keep between calls.
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "base/error.h"
#include "base/resources.h"
#include "cpu/cpu_backend.h"

namespace fer::cpu {

namespace {

inline constexpr size_t kLine = 64, kHugePage = size_t{2} << 20;

// Below it the answer would cost more than the piece.
inline constexpr size_t kWorthAsking = size_t{8} << 20;

}  // namespace

// Large pieces ask for huge pages: a training step walks all of its activations several times, and with 4 KB pages
// waits for address translation (twice over in a virtual machine).
void* aligned(size_t bytes) {
  const size_t alignment = bytes >= 2 * kHugePage ? kHugePage : kLine;
  const size_t rounded = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
  if (rounded >= kWorthAsking) require_memory(rounded, "the CPU backend");
  void* p = std::aligned_alloc(alignment, rounded);
  if (!p) throw Error("ERR_FER_OUT_OF_MEMORY", "the CPU backend could not allocate " + std::to_string(bytes) + " bytes; use a smaller batch size");
#ifdef MADV_HUGEPAGE
  if (alignment == kHugePage) madvise(p, rounded, MADV_HUGEPAGE);  // a hint: where it fails, nothing is lost
#endif
  return p;
}

void FreeFloats::operator()(float* p) const { std::free(p); }

void* CpuBackend::allocate(size_t bytes) {
  void* p = aligned(bytes);
  zero(p, bytes);
  return p;
}

size_t CpuBackend::free_bytes() const { return usable_memory(); }

void CpuBackend::release(void* pointer) { std::free(pointer); }
void CpuBackend::upload(void* device, const void* host, size_t bytes) { copy(device, host, bytes); }
void CpuBackend::download(void* host, const void* device, size_t bytes) { std::memcpy(host, device, bytes); }
void CpuBackend::copy(void* to, const void* from, size_t bytes) {
  std::memcpy(to, from, bytes);
  weights_->written(to, bytes);
}
void CpuBackend::zero(void* device, size_t bytes) {
  std::memset(device, 0, bytes);
  weights_->written(device, bytes);
}

float* CpuBackend::Scratch::floats(int slot, size_t count) {
  if (pieces_.size() <= static_cast<size_t>(slot)) pieces_.resize(slot + 1);
  Piece& piece = pieces_[slot];
  if (piece.capacity < count) {
    piece.memory.reset();
    piece.memory = make_floats(count);
    piece.capacity = count;
  }
  return piece.memory.get();
}

}  // namespace fer::cpu
