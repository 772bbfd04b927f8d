// What an op needs besides its operands: the stream to submit to, scratch memory, and who decides which kernels run.
#pragma once
#include <memory>

#include "backend.h"
#include "cuda/choices.h"
#include "cuda/cudnn_convolution.h"
#include "cuda/scratch.h"

namespace fer::cuda {

class Workspace {
 public:
  Workspace(int device, Precision precision, Tuning tuning);
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  // Where ops are submitted: the backend's stream, or within `aside` the second one.
  cudaStream_t stream() const { return aside_ ? cudaStream_t{side_} : stream_; }
  // Submits `ops` so that they may run beside what is submitted until `meet`. They have scratch memory of their own.
  void aside(const std::function<void()>& ops);
  void meet();
  int multiprocessors() const { return multiprocessors_; }
  // What products multiply in: float32 where the device's tensor cores know no other.
  Precision precision() const { return precision_; }
  Choices& choices() { return *choices_; }
  bool cudnn_alone() const { return cudnn_alone_; }
  Cudnn* cudnn() { return cudnn_ && cudnn_->problem().empty() ? cudnn_.get() : nullptr; }  // null: none
  // Why cuDNN, which was found, is not used; empty: it is, or there is none.
  std::string cudnn_problem() const { return cudnn_ ? cudnn_->problem() : cudnn_problem_; }
  // Device memory of at least `count` floats.
  float* floats(Slot slot, size_t count);
  // Zero before and after every launch; at least `count` of them.
  unsigned* counters(size_t count);
  // Gives up cuDNN for the memory that its ways hold; false where that is none. Graphs captured before must not be run again:
  // `memory_generation` says which those are.
  bool give_up_cudnn();
  int64_t memory_generation() const { return memory_generation_; }

 private:
  Owned<cudaStream_t, cudaStreamDestroy> stream_, side_;
  Owned<cudaEvent_t, cudaEventDestroy> fork_, join_;
  Owned<void*, cudaFree> counters_;
  bool cudnn_alone_ = false;
  bool aside_ = false, apart_ = false;  // within `aside`; until `meet`
  int multiprocessors_ = 1;
  int64_t memory_generation_ = 0;
  Precision precision_;
  Scratch scratch_;
  std::string cudnn_problem_;
  std::unique_ptr<Cudnn> cudnn_;
  std::unique_ptr<Choices> choices_;
};

}  // namespace fer::cuda
