// SGD with momentum and Nesterov, Adam and AdamW as PyTorch defines them, clipping by global norm, and the exponential
// average of the weights: one launch for all parameters, one more where gradients are clipped.
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

__global__ void __launch_bounds__(kThreads)
    clip_factor(size_t count, size_t per_block, const float* gradients, float limit, float* factor, float* partial, unsigned* counters) {
  const size_t begin = blockIdx.x * per_block, end = begin + per_block < count ? begin + per_block : count;
  float squares[1] = {};
  for (size_t i = begin + threadIdx.x; i < end; i += kThreads) squares[0] = fmaf(gradients[i], gradients[i], squares[0]);
  block_sums(squares);
  if (threadIdx.x == 0) partial[blockIdx.x] = squares[0];
  FloatFloat totals[1];
  if (!grid_totals(totals, partial, counters, 1, 0, 1)) return;
  const float norm = sqrtf(totals[0].value());
  *factor = norm > limit ? limit / (norm + 1e-6f) : 1.f;
}

__global__ void __launch_bounds__(kThreads) optimize(Optimize op, const float* clip) {
  const OptimizerRule& o = op.rule;
  const size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= op.count) return;
  const float lr = op.step->learning_rate, p = op.parameters[i];
  float g = clip ? op.gradients[i] * *clip : op.gradients[i], next;
  if (o.kind == OptimizerKind::kSgd) {
    g += o.weight_decay * p;
    const float m = op.moment1[i] = op.step->first ? g : o.momentum * op.moment1[i] + g;  // PyTorch's momentum buffer starts as the first gradient
    next = p - lr * (o.nesterov ? g + o.momentum * m : m);
  } else {
    const bool decoupled = o.kind == OptimizerKind::kAdamW;
    if (!decoupled) g += o.weight_decay * p;
    const float m = op.moment1[i] = o.beta1 * op.moment1[i] + (1.f - o.beta1) * g;
    const float v = op.moment2[i] = o.beta2 * op.moment2[i] + (1.f - o.beta2) * g * g;
    next = p * (decoupled ? 1.f - lr * o.weight_decay : 1.f) - lr / op.step->correction1 * m / (sqrtf(v) / op.step->correction2 + o.epsilon);
  }
  op.parameters[i] = next;
  if (o.averages) op.average[i] = op.step->ema_decay * op.average[i] + (1.f - op.step->ema_decay) * next;
}

__global__ void __launch_bounds__(kThreads) update_average(UpdateAverage op) {
  const size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < op.count) op.average[i] = op.step->ema_decay * op.average[i] + (1.f - op.step->ema_decay) * op.values[i];
}

}  // namespace

void CudaBackend::run(const Optimize& op) {
  float* clip = nullptr;
  if (op.rule.clip_norm > 0) {
    const unsigned blocks = std::min(blocks_for(op.count, 8 * kThreads), 256u);
    clip = work_->floats(Slot::kClip, 1);
    launch("gradient norm", clip_factor, dim3(blocks), dim3(kThreads), work_->stream(), op.count, (op.count + blocks - 1) / blocks, op.gradients,
           op.rule.clip_norm, clip, work_->floats(Slot::kPartial, partial_rows(blocks)), work_->counters(counters_a_tile(blocks)));
  }
  launch("optimiser", optimize, dim3(blocks_for(op.count, kThreads)), dim3(kThreads), work_->stream(), op, clip);
}

void CudaBackend::run(const UpdateAverage& op) {
  launch("averaging", update_average, dim3(blocks_for(op.count, kThreads)), dim3(kThreads), work_->stream(), op);
}

}  // namespace fer::cuda
