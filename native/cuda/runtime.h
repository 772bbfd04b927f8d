// The CUDA run time as the backend uses it: checked calls and typed kernel launches. Under FER_CUDA_ON_HOST the include
// finds native/test/cuda_on_host/cuda_runtime.h instead, which runs the same kernels on the CPU.
#pragma once
#include <cuda_runtime.h>

#include <string>

#include "base/error.h"

namespace fer::cuda {

inline void check(cudaError_t status, const char* op) {
  if (status == cudaSuccess) return;
  throw Error("ERR_FER_CUDA", std::string(op) + " failed on the GPU: " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")");
}

// A handle of the run time, released at its end; `Release` is the call that does it.
template <class Handle, auto Release>
class Owned {
 public:
  Owned() = default;
  ~Owned() {
    if (handle_) Release(handle_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  operator Handle() const { return handle_; }  // NOLINT(google-explicit-constructor): it is passed as the handle it is
  Handle* operator&() { return &handle_; }     // NOLINT(google-runtime-operator): where the run time leaves the handle

 private:
  Handle handle_ = nullptr;
};

#ifndef FER_CUDA_ON_HOST
template <class... P, class... A>
void launch(const char* op, void (*kernel)(P...), dim3 grid, dim3 block, cudaStream_t stream, A&&... arguments) {
  [&](P... values) {
    void* pointers[] = {&values...};
    check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, pointers, 0, stream), op);
  }(static_cast<P>(arguments)...);
}
#endif

// Blocks of a kernel that a multiprocessor has room for.
template <class... P>
unsigned blocks_at_once(void (*kernel)(P...), int threads) {
  int blocks = 0;
  check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, reinterpret_cast<const void*>(kernel), threads, 0), "asking for a kernel's occupancy");
  return static_cast<unsigned>(blocks);
}

constexpr unsigned blocks_for(size_t items, size_t per_block) { return static_cast<unsigned>((items + per_block - 1) / per_block); }

}  // namespace fer::cuda
