// Softmax and cross-entropy.
#include <algorithm>
#include <cmath>

#include "cpu/cpu_backend.h"

namespace fer::cpu {

// loss_i = -sum_c q_c log p_c with q = (1 - s) one-hot + s / classes; each class term carries its weight, and the
// mean divides by the sum of the labels' weights: PyTorch's cross_entropy(weight=, label_smoothing=).
void CpuBackend::run(const SoftmaxCrossEntropy& op) {
  const uint32_t* rows = op.batch.order + (op.batch.step ? op.batch.step->begin : 0);
  auto label = [&](int i) { return op.batch.labels[rows[i]]; };
  const float* weights = op.options.class_weights;
  double weight_sum = 0, weighted_loss = 0;
  for (int i = 0; i < op.batch.n; ++i) weight_sum += weights ? weights[label(i)] : 1.f;
  const double uniform = op.options.label_smoothing / static_cast<double>(op.classes);
  for (int i = 0; i < op.batch.n; ++i) {
    const float* z = op.logits + static_cast<size_t>(i) * op.padded;
    float* dz = op.d_logits + static_cast<size_t>(i) * op.padded;
    const int best = static_cast<int>(std::max_element(z, z + op.classes) - z);
    double sum = 0;
    for (int c = 0; c < op.classes; ++c) sum += std::exp(static_cast<double>(z[c]) - z[best]);
    const double log_sum = std::log(sum) + z[best];
    double mass = 0;  // sum over classes of weight * q
    for (int c = 0; c < op.classes; ++c) {
      const double q = (c == label(i) ? 1.0 - op.options.label_smoothing : 0.0) + uniform;
      const double wq = q * (weights ? weights[c] : 1.f);
      mass += wq;
      weighted_loss += wq * (log_sum - z[c]);
      dz[c] = static_cast<float>(-wq / weight_sum);
    }
    for (int c = 0; c < op.classes; ++c) dz[c] += static_cast<float>(mass * std::exp(z[c] - log_sum) / weight_sum);
    for (int c = op.classes; c < op.padded; ++c) dz[c] = 0.f;
    op.totals->correct += best == label(i);
  }
  op.totals->loss_sum += weighted_loss / weight_sum * op.batch.n;
}

}  // namespace fer::cpu
