// What an op needs besides its operands: the stream to submit to and scratch memory.
#pragma once
#include <map>
#include <vector>

#include "cuda/runtime.h"

namespace fer::cuda {

enum class Slot { kPartial, kGradient, kDepthwise, kClip };

class Workspace {
 public:
  explicit Workspace(int device);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  cudaStream_t stream() const { return stream_; }
  int multiprocessors() const { return multiprocessors_; }
  // Device memory of at least `count` floats. A slot that grows keeps its old memory until the end: a captured graph may
  // hold its address.
  float* floats(Slot slot, size_t count);
  // Zero before and after every launch; at least `count` of them.
  unsigned* counters(size_t count);

 private:
  void* allocate(size_t bytes);
  struct Piece { float* memory = nullptr; size_t capacity = 0; };
  cudaStream_t stream_ = nullptr;
  int multiprocessors_ = 1;
  std::map<Slot, Piece> pieces_;
  unsigned* counters_ = nullptr;
  std::vector<void*> owned_;
};

}  // namespace fer::cuda
