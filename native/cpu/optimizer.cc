// SGD with momentum and Nesterov, Adam and AdamW as PyTorch defines them, gradient clipping by global norm, and
// the exponential average of the weights: one sweep over all parameters.
#include <cmath>

#include "cpu/cpu_backend.h"

namespace fer::cpu {
namespace {

float clip_factor(size_t count, const float* gradients, float limit) {
  double squares = 0;
  for (size_t i = 0; i < count; ++i) squares += static_cast<double>(gradients[i]) * gradients[i];
  const double norm = std::sqrt(squares);
  return norm > limit ? static_cast<float>(limit / (norm + 1e-6)) : 1.f;
}

}  // namespace

void CpuBackend::run(const Optimize& op) {
  const OptimizerRule& o = op.rule;
  const float clip = o.clip_norm > 0 ? clip_factor(op.count, op.gradients, o.clip_norm) : 1.f;
  const StepState now = *op.step;
  pool_.run([&](int t) {
    const size_t begin = op.count * t / pool_.size(), end = op.count * (t + 1) / pool_.size();
    const float lr = now.learning_rate;
    if (o.kind == OptimizerKind::kSgd) {
      const bool first = now.first;  // PyTorch's momentum buffer starts as the first gradient
      for (size_t i = begin; i < end; ++i) {
        const float g = op.gradients[i] * clip + o.weight_decay * op.parameters[i];
        const float m = first ? g : o.momentum * op.moment1[i] + g;
        op.moment1[i] = m;
        op.parameters[i] -= lr * (o.nesterov ? g + o.momentum * m : m);
      }
    } else {
      const float decay = o.kind == OptimizerKind::kAdamW ? 1.f - lr * o.weight_decay : 1.f;
      const float coupled = o.kind == OptimizerKind::kAdam ? o.weight_decay : 0.f;
      const float rate = lr / now.correction1;
      for (size_t i = begin; i < end; ++i) {
        const float p = op.parameters[i], g = op.gradients[i] * clip + coupled * p;
        const float m = op.moment1[i] = o.beta1 * op.moment1[i] + (1.f - o.beta1) * g;
        const float v = op.moment2[i] = o.beta2 * op.moment2[i] + (1.f - o.beta2) * g * g;
        op.parameters[i] = p * decay - rate * m / (std::sqrt(v) / now.correction2 + o.epsilon);
      }
    }
    if (o.averages)
      for (size_t i = begin; i < end; ++i) op.average[i] = now.ema_decay * op.average[i] + (1.f - now.ema_decay) * op.parameters[i];
  });
  weights_->written(op.parameters, op.count * sizeof(float));
}

void CpuBackend::run(const UpdateAverage& op) {
  const float decay = op.step->ema_decay;
  for (size_t i = 0; i < op.count; ++i) op.average[i] = decay * op.average[i] + (1.f - decay) * op.values[i];
}

}  // namespace fer::cpu
