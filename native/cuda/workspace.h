// What an op needs besides its operands: the stream to submit to, scratch memory, and who decides which kernels run.
#pragma once
#include <map>
#include <memory>
#include <vector>

#include "backend.h"
#include "cuda/choices.h"
#include "cuda/cudnn_convolution.h"

namespace fer::cuda {

// Uses of scratch memory that may hold something at the same time.
enum class Slot { kPartial, kGradient, kDepthwise, kClip, kInput, kWeights, kWeightGradient, kCudnn };

class Workspace {
 public:
  Workspace(int device, Precision precision, Tuning tuning);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // Where ops are submitted: the backend's stream, or within `aside` of a captured step the second one.
  cudaStream_t stream() const { return beside_ ? side_ : stream_; }
  // Submits `ops` so that they may run beside what is submitted until `meet`; in a recorded step they do. They have scratch
  // memory of their own.
  void aside(const std::function<void()>& ops);
  void meet();
  int multiprocessors() const { return multiprocessors_; }
  // What products multiply in: float32 where the device's tensor cores know no other.
  Precision precision() const { return precision_; }
  Choices& choices() { return *choices_; }
  Cudnn* cudnn() { return cudnn_.get(); }  // null: none
  // Device memory of at least `count` floats. A slot that grows keeps its old memory until the end: a captured graph may
  // hold its address.
  float* floats(Slot slot, size_t count);
  // Zero before and after every launch; at least `count` of them.
  unsigned* counters(size_t count);

 private:
  void* allocate(size_t bytes);
  struct Piece {
    float* memory = nullptr;
    size_t capacity = 0;
  };
  cudaStream_t stream_ = nullptr, side_ = nullptr;
  cudaEvent_t fork_ = nullptr, join_ = nullptr;
  bool aside_ = false, beside_ = false, apart_ = false;  // within `aside`; on the second stream; until `meet`
  int multiprocessors_ = 1;
  Precision precision_;
  std::map<Slot, Piece> pieces_[2];  // [aside]
  unsigned* counters_ = nullptr;
  std::vector<void*> owned_;
  std::unique_ptr<Cudnn> cudnn_;
  std::unique_ptr<Choices> choices_;
};

}  // namespace fer::cuda
