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

void CpuBackend::optimize(const OptimizerRule& o, const StepState* step, size_t count, float* parameters, const float* gradients, float* moment1,
                          float* moment2, float* average) {
  const float clip = o.clip_norm > 0 ? clip_factor(count, gradients, o.clip_norm) : 1.f;
  const StepState now = *step;
  pool_.run([&](int t) {
    const size_t begin = count * t / pool_.size(), end = count * (t + 1) / pool_.size();
    const float lr = now.learning_rate;
    if (o.kind == OptimizerKind::kSgd) {
      const bool first = now.first;  // PyTorch's momentum buffer starts as the first gradient
      for (size_t i = begin; i < end; ++i) {
        const float g = gradients[i] * clip + o.weight_decay * parameters[i];
        const float m = first ? g : o.momentum * moment1[i] + g;
        moment1[i] = m;
        parameters[i] -= lr * (o.nesterov ? g + o.momentum * m : m);
      }
    } else {
      const float decay = o.kind == OptimizerKind::kAdamW ? 1.f - lr * o.weight_decay : 1.f;
      const float coupled = o.kind == OptimizerKind::kAdam ? o.weight_decay : 0.f;
      const float rate = lr / now.correction1;
      for (size_t i = begin; i < end; ++i) {
        const float p = parameters[i], g = gradients[i] * clip + coupled * p;
        const float m = moment1[i] = o.beta1 * moment1[i] + (1.f - o.beta1) * g;
        const float v = moment2[i] = o.beta2 * moment2[i] + (1.f - o.beta2) * g * g;
        parameters[i] = p * decay - rate * m / (std::sqrt(v) / now.correction2 + o.epsilon);
      }
    }
    if (o.averages)
      for (size_t i = begin; i < end; ++i) average[i] = now.ema_decay * average[i] + (1.f - now.ema_decay) * parameters[i];
  });
}

void CpuBackend::update_average(const StepState* step, size_t count, const float* values, float* average) {
  for (size_t i = 0; i < count; ++i) average[i] = step->ema_decay * average[i] + (1.f - step->ema_decay) * values[i];
}

}  // namespace fer::cpu
