#include "cuda/scratch.h"

#include <algorithm>

namespace fer::cuda {

Scratch::~Scratch() {
  for (const Owned& owned : owned_) cudaFree(owned.memory);
}

float* Scratch::floats(Slot slot, int branch, size_t count, cudaStream_t stream) {
  Piece& piece = pieces_[branch][slot];
  if (piece.capacity >= count) return piece.memory;
  const size_t bytes = count * sizeof(float);
  size_t free = 0, total = 0;
  if (trying_) {
    check(cudaMemGetInfo(&free, &total), "asking for free memory");
    if (bytes > free / 2) throw Error("ERR_FER_OUT_OF_MEMORY", "the GPU has no " + std::to_string(bytes) + " bytes to spare for trying a kernel");
  }
  void* memory = nullptr;
  if (const cudaError_t status = cudaMalloc(&memory, bytes); status != cudaSuccess) {
    cudaGetLastError();  // an allocation that failed leaves the device usable
    throw Error("ERR_FER_OUT_OF_MEMORY",
                "the GPU could not hold " + std::to_string(bytes) + " bytes of scratch memory: " + cudaGetErrorString(status));
  }
  owned_.push_back({static_cast<float*>(memory), slot});
  check(cudaMemsetAsync(memory, 0, bytes, stream), "clearing scratch memory");
  piece = {static_cast<float*>(memory), count};
  return piece.memory;
}

void Scratch::begin_trial() {
  trying_ = true;
  std::copy(pieces_, pieces_ + 2, before_trial_);
  owned_before_ = owned_.size();
}

void Scratch::end_trial() {
  trying_ = false;
  for (size_t i = owned_before_; i < owned_.size(); ++i) cudaFree(owned_[i].memory);  // waits for what uses it
  owned_.resize(owned_before_);
  std::copy(before_trial_, before_trial_ + 2, pieces_);
}

bool Scratch::give_back_cudnns() {
  const auto first = std::stable_partition(owned_.begin(), owned_.end(), [](const Owned& owned) { return !of_cudnn(owned.slot); });
  const bool any = first != owned_.end();
  std::for_each(first, owned_.end(), [](const Owned& owned) { cudaFree(owned.memory); });
  owned_.erase(first, owned_.end());
  for (Pieces& pieces : pieces_) std::erase_if(pieces, [](const auto& entry) { return of_cudnn(entry.first); });
  return any;
}

}  // namespace fer::cuda
