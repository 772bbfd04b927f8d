// Softmax cross-entropy with class weights and label smoothing as PyTorch defines them, and a teacher's probabilities; one block, thread by image.
#include "cuda/cuda_backend.h"
#include "cuda/distillation.cuh"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

__global__ void __launch_bounds__(kThreads, 1) soften(Soften op) {
  for (int i = static_cast<int>(threadIdx.x); i < op.n; i += kThreads) {
    const float* z = op.logits + static_cast<size_t>(i) * op.padded;
    float* p = op.probabilities + static_cast<size_t>(i) * op.padded;
    const double sum = log_sum(z, op.classes, op.temperature);
    for (int c = 0; c < op.padded; ++c) {
      const double said = c < op.classes ? op.share * exp(z[c] / static_cast<double>(op.temperature) - sum) : 0;
      p[c] = static_cast<float>(op.first ? said : p[c] + said);
    }
  }
}

__global__ void __launch_bounds__(kThreads, 1) softmax_cross_entropy(SoftmaxCrossEntropy op) {
  const uint32_t* rows = op.batch.order + (op.batch.step ? op.batch.step->begin : 0);
  const int t = static_cast<int>(threadIdx.x);
  double weights = 0;
  for (int i = t; i < op.batch.n; i += kThreads) weights += op.options.class_weights ? op.options.class_weights[op.batch.labels[rows[i]]] : 1.f;
  const double weight_sum = block_sum(weights), uniform = op.options.label_smoothing / static_cast<double>(op.classes);
  double loss = 0, divergence = 0, correct = 0;
  for (int i = t; i < op.batch.n; i += kThreads) {
    const float* z = op.logits + static_cast<size_t>(i) * op.padded;
    float* dz = op.d_logits + static_cast<size_t>(i) * op.padded;
    const int label = op.batch.labels[rows[i]];
    int best = 0;
    for (int c = 1; c < op.classes; ++c)
      if (z[c] > z[best]) best = c;
    const double sum = log_sum(z, op.classes, 1);
    double mass = 0;  // sum over classes of weight * target
    for (int c = 0; c < op.classes; ++c) {
      const double target =
          ((c == label ? 1.0 - op.options.label_smoothing : 0.0) + uniform) * (op.options.class_weights ? op.options.class_weights[c] : 1.f);
      mass += target;
      loss += target * (sum - z[c]);
      dz[c] = static_cast<float>(-target / weight_sum);
    }
    for (int c = 0; c < op.classes; ++c) dz[c] += static_cast<float>(mass * exp(z[c] - sum) / weight_sum);
    for (int c = op.classes; c < op.padded; ++c) dz[c] = 0.f;
    if (op.options.distillation.targets) divergence += learn_from_teacher(op, i);
    correct += best == label;
  }
  loss = block_sum(loss);
  divergence = block_sum(divergence);
  correct = block_sum(correct);
  if (t != 0) return;
  op.totals->loss_sum += with_teacher(op, loss / weight_sum * op.batch.n, divergence);
  op.totals->correct += static_cast<int64_t>(correct);
}

}  // namespace

void CudaBackend::run(const Soften& op) { launch("soften", soften, dim3(1), dim3(kThreads), work_->stream(), op); }

void CudaBackend::run(const SoftmaxCrossEntropy& op) {
  launch("softmax cross-entropy", softmax_cross_entropy, dim3(1), dim3(kThreads), work_->stream(), op);
}

}  // namespace fer::cuda
