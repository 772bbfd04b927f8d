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

#ifndef FER_CUDA_ON_HOST
template <class... P, class... A>
void launch(const char* op, void (*kernel)(P...), dim3 grid, dim3 block, cudaStream_t stream, A&&... arguments) {
  [&](P... values) {
    void* pointers[] = {&values...};
    check(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid, block, pointers, 0, stream), op);
  }(static_cast<P>(arguments)...);
}
#endif

constexpr unsigned blocks_for(size_t items, size_t per_block) { return static_cast<unsigned>((items + per_block - 1) / per_block); }

}  // namespace fer::cuda
