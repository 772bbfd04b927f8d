#include "cuda/workspace.h"

#include <algorithm>

namespace fer::cuda {
namespace {

constexpr size_t kCounters = 1 << 16;

}  // namespace

Workspace::Workspace(int device) {
  check(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device), "reading the device's properties");
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  counters_ = static_cast<unsigned*>(allocate(kCounters * sizeof(unsigned)));
}

Workspace::~Workspace() {
  for (void* memory : owned_) cudaFree(memory);
  cudaStreamDestroy(stream_);
}

void* Workspace::allocate(size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status != cudaSuccess) {
    cudaGetLastError();  // an allocation that failed leaves the device usable
    throw Error("ERR_FER_OUT_OF_MEMORY", "the GPU could not hold " + std::to_string(bytes) + " bytes of scratch memory: " + cudaGetErrorString(status));
  }
  owned_.push_back(memory);
  check(cudaMemsetAsync(memory, 0, bytes, stream_), "clearing scratch memory");
  return memory;
}

float* Workspace::floats(Slot slot, size_t count) {
  Piece& piece = pieces_[slot];
  if (piece.capacity < count) {
    piece.memory = static_cast<float*>(allocate(count * sizeof(float)));
    piece.capacity = count;
  }
  return piece.memory;
}

unsigned* Workspace::counters(size_t count) {
  if (count > kCounters) throw Error("ERR_FER_ARGUMENT", "expected at most " + std::to_string(kCounters) + " output tiles, got " + std::to_string(count) + ": the network is too wide for this build");
  return counters_;
}

}  // namespace fer::cuda
