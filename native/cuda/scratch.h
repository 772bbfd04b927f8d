// Scratch memory of ops, by use. Memory that an op has seen stays where it is, as captured graphs hold its address; what was taken
// to try an implementation, or for an optional library alone, can be given back.
#pragma once
#include <map>
#include <vector>

#include "cuda/runtime.h"

namespace fer::cuda {

// Uses that may hold something at the same time. From kInput on they are asked for by cuDNN's ways alone; kUnused: what nobody reads, or
// only the next call.
enum class Slot {
  kPartial,
  kGradient,
  kDepthwise,
  kClip,
  kInput,
  kWeights,
  kWeightGradient,
  kCudnn,
  kConstants,
  kUnused,
  kPadded,
  kPaddedGradient,
  kPooled,
  kUnpooled
};
constexpr bool of_cudnn(Slot slot) { return slot >= Slot::kInput; }

class Scratch {
 public:
  Scratch() = default;
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  // At least `count` floats, zero when new, for ops on `stream`; `branch`: each of a step's two has memory of its own. Throws
  // ERR_FER_OUT_OF_MEMORY.
  float* floats(Slot slot, int branch, size_t count, cudaStream_t stream);
  // Within a trial only half of what is free may be taken, and its end gives back what was.
  void begin_trial();
  void end_trial();
  // Gives back what cuDNN's ways have taken; false where they have none.
  bool give_back_cudnns();

 private:
  struct Piece {
    float* memory = nullptr;
    size_t capacity = 0;
  };
  struct Owned {
    float* memory;
    Slot slot;
  };
  using Pieces = std::map<Slot, Piece>;
  Pieces pieces_[2], before_trial_[2];
  std::vector<Owned> owned_;
  size_t owned_before_ = 0;
  bool trying_ = false;
};

}  // namespace fer::cuda
