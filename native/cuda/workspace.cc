#include "cuda/workspace.h"

namespace fer::cuda {
namespace {

constexpr size_t kCounters = 1 << 16;

bool capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream, &status), "asking whether a step is being captured");
  return status != cudaStreamCaptureStatusNone;
}

}  // namespace

Workspace::Workspace(int device, Precision precision, Tuning tuning) : cudnn_alone_(tuning.cudnn_alone), precision_(precision) {
  int major = 0, driver = 0;
  check(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device), "reading the device's properties");
  check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "reading the device's properties");
  if (major < 8) precision_ = Precision::kFp32;
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  check(cudaStreamCreateWithFlags(&side_, cudaStreamNonBlocking), "making a stream");
  check(cudaEventCreateWithFlags(&fork_, cudaEventDisableTiming), "making an event");
  check(cudaEventCreateWithFlags(&join_, cudaEventDisableTiming), "making an event");
  check(cudaMalloc(&counters_, 2 * kCounters * sizeof(unsigned)), "allocating counters");
  check(cudaMemsetAsync(counters_, 0, 2 * kCounters * sizeof(unsigned), stream_), "clearing counters");
  if (tuning.cudnn_symbol) {
    try {
      cudnn_ = std::make_unique<Cudnn>(tuning.cudnn_symbol, precision_, std::initializer_list<cudaStream_t>{stream_, side_});
    } catch (const Error& error) {  // the own kernels do without
      if (tuning.cudnn_alone) throw;
      cudnn_problem_ = error.what();
      cudaGetLastError();
    }
  }
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, device), "reading the device's properties");
  check(cudaDriverGetVersion(&driver), "asking for the driver's version");
  choices_ = std::make_unique<Choices>(
      std::move(tuning),
      std::string(properties.name) + ", driver " + std::to_string(driver) + ", cuDNN " + (cudnn_ ? std::to_string(cudnn_->version()) : "none"),
      scratch_, [this] { return stream(); });
}

void Workspace::aside(const std::function<void()>& ops) {
  check(cudaEventRecord(fork_, stream_), "forking the step");
  check(cudaStreamWaitEvent(side_, fork_, 0), "forking the step");
  aside_ = true;
  apart_ = false;
  try {
    ops();
  } catch (...) {
    aside_ = false;
    throw;
  }
  aside_ = false;
  check(cudaEventRecord(join_, side_), "joining the step");
  apart_ = true;
}

void Workspace::meet() {
  if (apart_) check(cudaStreamWaitEvent(stream_, join_, 0), "joining the step");
  apart_ = false;
}

float* Workspace::floats(Slot slot, size_t count) {
  try {
    return scratch_.floats(slot, aside_, count, stream());
  } catch (const Error& error) {
    if (error.code() != "ERR_FER_OUT_OF_MEMORY" || of_cudnn(slot) || !give_up_cudnn()) throw;
    return scratch_.floats(slot, aside_, count, stream());
  }
}

unsigned* Workspace::counters(size_t count) {
  if (count > kCounters)
    throw Error("ERR_FER_ARGUMENT", "expected at most " + std::to_string(kCounters) + " output tiles, got " + std::to_string(count) +
                                        ": the network is too wide for this build");
  void* const counters = counters_;
  return static_cast<unsigned*>(counters) + (aside_ ? kCounters : 0);
}

bool Workspace::give_up_cudnn() {
  if (!cudnn() || cudnn_alone_ || choices_->trying() || capturing(stream_) || !scratch_.give_back_cudnns()) return false;
  cudnn_->give_up("its scratch memory was needed for other things");
  ++memory_generation_;
  return true;
}

}  // namespace fer::cuda
