// SGD with momentum and Nesterov, Adam and AdamW as PyTorch defines them, clipping by global norm, and the exponential
// average of the weights: one launch for all parameters, one more where gradients are clipped.
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

__global__ void __launch_bounds__(kThreads)
    clip_factor(size_t count, const float* gradients, float limit, float* factor, float* partial, unsigned* counters) {
  const size_t per_block = (count + gridDim.x - 1) / gridDim.x, begin = blockIdx.x * per_block,
               end = begin + per_block < count ? begin + per_block : count;
  float squares = 0;
  for (size_t i = begin + threadIdx.x; i < end; i += kThreads) squares = fmaf(gradients[i], gradients[i], squares);
  __shared__ float parts[kThreads];
  const int t = static_cast<int>(threadIdx.x);
  parts[t] = squares;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) parts[t] += parts[t + half];
    __syncthreads();
  }
  if (t == 0) partial[blockIdx.x] = parts[0];
  double totals[1];
  if (!grid_totals(totals, partial, counters, 1, 0, 1)) return;
  const double norm = sqrt(totals[0]);
  *factor = norm > limit ? static_cast<float>(limit / (norm + 1e-6)) : 1.f;
}

__global__ void __launch_bounds__(kThreads) optimize(OptimizerRule o, const StepState* step, size_t count, float* parameters, const float* gradients,
                                                     float* moment1, float* moment2, float* average, const float* clip) {
  const size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const float lr = step->learning_rate, p = parameters[i];
  float g = clip ? gradients[i] * *clip : gradients[i], next;
  if (o.kind == OptimizerKind::kSgd) {
    g += o.weight_decay * p;
    const float m = moment1[i] = step->first ? g : o.momentum * moment1[i] + g;  // PyTorch's momentum buffer starts as the first gradient
    next = p - lr * (o.nesterov ? g + o.momentum * m : m);
  } else {
    const bool decoupled = o.kind == OptimizerKind::kAdamW;
    if (!decoupled) g += o.weight_decay * p;
    const float m = moment1[i] = o.beta1 * moment1[i] + (1.f - o.beta1) * g;
    const float v = moment2[i] = o.beta2 * moment2[i] + (1.f - o.beta2) * g * g;
    next = p * (decoupled ? 1.f - lr * o.weight_decay : 1.f) - lr / step->correction1 * m / (sqrtf(v) / step->correction2 + o.epsilon);
  }
  parameters[i] = next;
  if (o.averages) average[i] = step->ema_decay * average[i] + (1.f - step->ema_decay) * next;
}

__global__ void __launch_bounds__(kThreads) update_average(const StepState* step, size_t count, const float* values, float* average) {
  const size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) average[i] = step->ema_decay * average[i] + (1.f - step->ema_decay) * values[i];
}

__global__ void __launch_bounds__(kThreads) use_running_statistics(BatchNorm bn) {
  const int c = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (c >= bn.channels) return;
  bn.scale[c] = bn.gamma[c] / sqrtf(bn.running_var[c] + kBatchNormEpsilon);
  bn.shift[c] = bn.beta[c] - bn.running_mean[c] * bn.scale[c];
}

}  // namespace

void CudaBackend::optimize(const OptimizerRule& o, const StepState* step, size_t count, float* parameters, const float* gradients, float* moment1,
                           float* moment2, float* average) {
  enter();
  float* clip = nullptr;
  if (o.clip_norm > 0) {
    const unsigned blocks = std::min(blocks_for(count, 8 * kThreads), 256u);
    clip = work_->floats(Slot::kClip, 1);
    launch("gradient norm", clip_factor, dim3(blocks), dim3(kThreads), work_->stream(), count, gradients, o.clip_norm, clip,
           work_->floats(Slot::kPartial, partial_rows(blocks)), work_->counters(counters_a_tile(blocks)));
  }
  launch("optimiser", cuda::optimize, dim3(blocks_for(count, kThreads)), dim3(kThreads), work_->stream(), o, step, count, parameters, gradients,
         moment1, moment2, average, clip);
}

void CudaBackend::update_average(const StepState* step, size_t count, const float* values, float* average) {
  enter();
  launch("averaging", cuda::update_average, dim3(blocks_for(count, kThreads)), dim3(kThreads), work_->stream(), step, count, values, average);
}

void CudaBackend::use_running_statistics(const BatchNorm& bn) {
  enter();
  launch("batch norm", cuda::use_running_statistics, dim3(blocks_for(bn.channels, kThreads)), dim3(kThreads), work_->stream(), bn);
}

}  // namespace fer::cuda
