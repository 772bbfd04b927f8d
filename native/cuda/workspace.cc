#include "cuda/workspace.h"

#include <algorithm>

namespace fer::cuda {
namespace {

constexpr size_t kCounters = 1 << 16;

}  // namespace

Workspace::Workspace(int device, Precision precision, Tuning tuning) : precision_(precision) {
  int major = 0, driver = 0;
  check(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device), "reading the device's properties");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "reading the device's properties");
  if (major < 8) precision_ = Precision::kFp32;
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  check(cudaStreamCreateWithFlags(&side_, cudaStreamNonBlocking), "making a stream");
  check(cudaEventCreateWithFlags(&fork_, cudaEventDisableTiming), "making an event");
  check(cudaEventCreateWithFlags(&join_, cudaEventDisableTiming), "making an event");
  counters_ = static_cast<unsigned*>(allocate(2 * kCounters * sizeof(unsigned)));
  if (tuning.cudnn_symbol) cudnn_ = std::make_unique<Cudnn>(tuning.cudnn_symbol, precision_);
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, device), "reading the device's properties");
  check(cudaDriverGetVersion(&driver), "asking for the driver's version");
  choices_ = std::make_unique<Choices>(
      std::move(tuning),
      std::string(properties.name) + ", driver " + std::to_string(driver) + ", cuDNN " + (cudnn_ ? std::to_string(cudnn_->version()) : "none"),
      stream_);
}

Workspace::~Workspace() {
  choices_.reset();
  cudnn_.reset();
  for (void* memory : owned_) cudaFree(memory);
  cudaEventDestroy(fork_);
  cudaEventDestroy(join_);
  cudaStreamDestroy(side_);
  cudaStreamDestroy(stream_);
}

void Workspace::aside(const std::function<void()>& ops) {
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream_, &capture), "asking whether a step is being captured");
  const bool beside = capture != cudaStreamCaptureStatusNone;
  if (beside) {
    check(cudaEventRecord(fork_, stream_), "forking the step");
    check(cudaStreamWaitEvent(side_, fork_, 0), "forking the step");
  }
  aside_ = true;
  beside_ = beside;
  try {
    ops();
  } catch (...) {
    aside_ = beside_ = false;
    throw;
  }
  aside_ = beside_ = false;
  apart_ = beside;
  if (beside) check(cudaEventRecord(join_, side_), "joining the step");
}

void Workspace::meet() {
  if (apart_) check(cudaStreamWaitEvent(stream_, join_, 0), "joining the step");
  apart_ = false;
}

void* Workspace::allocate(size_t bytes) {
  void* memory = nullptr;
  const cudaError_t status = cudaMalloc(&memory, bytes);
  if (status != cudaSuccess) {
    cudaGetLastError();  // an allocation that failed leaves the device usable
    throw Error("ERR_FER_OUT_OF_MEMORY",
                "the GPU could not hold " + std::to_string(bytes) + " bytes of scratch memory: " + cudaGetErrorString(status));
  }
  owned_.push_back(memory);
  check(cudaMemsetAsync(memory, 0, bytes, stream_), "clearing scratch memory");
  return memory;
}

float* Workspace::floats(Slot slot, size_t count) {
  Piece& piece = pieces_[aside_][slot];
  if (piece.capacity < count) {
    // An implementation that is only being tried must not take the memory that training itself will ask for.
    size_t free = 0, total = 0;
    if (choices_ && choices_->measuring() && (check(cudaMemGetInfo(&free, &total), "asking for free memory"), count * sizeof(float) > free / 2))
      throw Error("ERR_FER_OUT_OF_MEMORY", "the GPU has no " + std::to_string(count * sizeof(float)) + " bytes to spare for trying a kernel");
    piece.memory = static_cast<float*>(allocate(count * sizeof(float)));
    piece.capacity = count;
  }
  return piece.memory;
}

unsigned* Workspace::counters(size_t count) {
  if (count > kCounters)
    throw Error("ERR_FER_ARGUMENT", "expected at most " + std::to_string(kCounters) + " output tiles, got " + std::to_string(count) +
                                        ": the network is too wide for this build");
  return counters_ + (aside_ ? kCounters : 0);
}

}  // namespace fer::cuda
