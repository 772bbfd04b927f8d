// Inference's constants. What batch norm sums in training is part of the ops around it (reductions.cuh).
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

__global__ void __launch_bounds__(kThreads) use_running_statistics(BatchNorm bn) {
  const int c = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (c >= bn.channels) return;
  bn.scale[c] = bn.gamma[c] / sqrtf(bn.running_var[c] + kBatchNormEpsilon);
  bn.shift[c] = bn.beta[c] - bn.running_mean[c] * bn.scale[c];
}

}  // namespace

void CudaBackend::run(const UseRunningStatistics& op) {
  launch("batch norm", use_running_statistics, dim3(blocks_for(op.bn.channels, kThreads)), dim3(kThreads), work_->stream(), op.bn);
}

}  // namespace fer::cuda
