// A teacher's part in the loss: what both lowerings of softmax cross-entropy add to the labels'.
#pragma once
#include "cuda/runtime.h"
#include "ops.h"

namespace fer::cuda {

// log sum_c exp(z_c / temperature)
__device__ inline double log_sum(const float* z, int classes, double temperature) {
  float most = z[0];
  for (int c = 1; c < classes; ++c) most = max(most, z[c]);
  double sum = 0;
  for (int c = 0; c < classes; ++c) sum += exp((static_cast<double>(z[c]) - most) / temperature);
  return log(sum) + most / temperature;
}

// Mixes the teacher's share into image i's gradient, which is the labels'. Returns the divergence from what the teacher says.
__device__ inline double learn_from_teacher(const SoftmaxCrossEntropy& op, int i) {
  const auto [targets, share, temperature] = op.options.distillation;
  const float *z = op.logits + static_cast<size_t>(i) * op.padded, *q = targets + static_cast<size_t>(i) * op.padded;
  float* dz = op.d_logits + static_cast<size_t>(i) * op.padded;
  const double sum = log_sum(z, op.classes, temperature);
  double divergence = 0;
  for (int c = 0; c < op.classes; ++c) {
    const double log_p = z[c] / static_cast<double>(temperature) - sum;
    if (q[c] > 0) divergence += q[c] * (log(static_cast<double>(q[c])) - log_p);
    dz[c] = static_cast<float>((1 - share) * dz[c] + share * temperature * (exp(log_p) - q[c]) / op.batch.n);
  }
  return divergence;
}

// The batch's loss from the labels' and the sum of the divergences.
__device__ inline double with_teacher(const SoftmaxCrossEntropy& op, double of_labels, double divergence) {
  const Distillation teacher = op.options.distillation;
  return teacher.targets ? (1 - teacher.share) * of_labels + teacher.share * teacher.temperature * teacher.temperature * divergence : of_labels;
}

}  // namespace fer::cuda
