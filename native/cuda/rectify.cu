// ReLU of a gradient, in place. Thread: one value.
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

__global__ void __launch_bounds__(kThreads) rectify(Rectify op) {
  const size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < op.count) op.values[i] = fmaxf(op.values[i], 0.f);
}

}  // namespace

void CudaBackend::run(const Rectify& op) {
  launch("guided backpropagation", rectify, dim3(blocks_for(op.count, kThreads)), dim3(kThreads), work_->stream(), op);
}

}  // namespace fer::cuda
