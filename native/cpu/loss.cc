// Softmax and cross-entropy, of labels and of a teacher's probabilities.
#include <algorithm>
#include <cmath>

#include "cpu/cpu_backend.h"

namespace fer::cpu {
namespace {

// log sum_c exp(z_c / temperature)
double log_sum(const float* z, int classes, double temperature) {
  const double most = *std::max_element(z, z + classes) / temperature;
  double sum = 0;
  for (int c = 0; c < classes; ++c) sum += std::exp(z[c] / temperature - most);
  return std::log(sum) + most;
}

}  // namespace

void CpuBackend::run(const Soften& op) {
  for (int i = 0; i < op.n; ++i) {
    const float* z = op.logits + static_cast<size_t>(i) * op.padded;
    float* p = op.probabilities + static_cast<size_t>(i) * op.padded;
    const double sum = log_sum(z, op.classes, op.temperature);
    for (int c = 0; c < op.padded; ++c) {
      const double said = c < op.classes ? op.share * std::exp(z[c] / static_cast<double>(op.temperature) - sum) : 0;
      p[c] = static_cast<float>(op.first ? said : p[c] + said);
    }
  }
}

// loss_i = -sum_c q_c log p_c with q = (1 - s) one-hot + s / classes; each class term carries its weight, and the
// mean divides by the sum of the labels' weights: PyTorch's cross_entropy(weight=, label_smoothing=).
void CpuBackend::run(const SoftmaxCrossEntropy& op) {
  const uint32_t* rows = op.batch.order + (op.batch.step ? op.batch.step->begin : 0);
  auto label = [&](int i) { return op.batch.labels[rows[i]]; };
  const float* weights = op.options.class_weights;
  const auto [targets, share, temperature] = op.options.distillation;
  double weight_sum = 0, weighted_loss = 0, divergence = 0;
  for (int i = 0; i < op.batch.n; ++i) weight_sum += weights ? weights[label(i)] : 1.f;
  const double uniform = op.options.label_smoothing / static_cast<double>(op.classes);
  for (int i = 0; i < op.batch.n; ++i) {
    const float* z = op.logits + static_cast<size_t>(i) * op.padded;
    float* dz = op.d_logits + static_cast<size_t>(i) * op.padded;
    const int best = static_cast<int>(std::max_element(z, z + op.classes) - z);
    const double sum = log_sum(z, op.classes, 1);
    double mass = 0;  // sum over classes of weight * q
    for (int c = 0; c < op.classes; ++c) {
      const double q = (c == label(i) ? 1.0 - op.options.label_smoothing : 0.0) + uniform;
      const double wq = q * (weights ? weights[c] : 1.f);
      mass += wq;
      weighted_loss += wq * (sum - z[c]);
      dz[c] = static_cast<float>(-wq / weight_sum);
    }
    for (int c = 0; c < op.classes; ++c) dz[c] += static_cast<float>(mass * std::exp(z[c] - sum) / weight_sum);
    for (int c = op.classes; c < op.padded; ++c) dz[c] = 0.f;
    if (targets) {
      const float* q = targets + static_cast<size_t>(i) * op.padded;
      const double soft_sum = log_sum(z, op.classes, temperature);
      for (int c = 0; c < op.classes; ++c) {
        const double log_p = z[c] / static_cast<double>(temperature) - soft_sum;
        if (q[c] > 0) divergence += q[c] * (std::log(static_cast<double>(q[c])) - log_p);
        dz[c] = static_cast<float>((1 - share) * dz[c] + share * temperature * (std::exp(log_p) - q[c]) / op.batch.n);
      }
    }
    op.totals->correct += best == label(i);
  }
  const double loss = weighted_loss / weight_sum * op.batch.n;
  op.totals->loss_sum += targets ? (1 - share) * loss + share * temperature * temperature * divergence : loss;
}

}  // namespace fer::cpu
