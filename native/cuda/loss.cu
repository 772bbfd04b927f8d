// Softmax cross-entropy with class weights and label smoothing as PyTorch defines them; one block, thread by image.
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

__device__ inline double block_sum(double value) {
  __shared__ double parts[kThreads];
  const int t = static_cast<int>(threadIdx.x);
  parts[t] = value;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) parts[t] += parts[t + half];
    __syncthreads();
  }
  const double sum = parts[0];
  __syncthreads();
  return sum;
}

__global__ void __launch_bounds__(kThreads, 1) softmax_cross_entropy(SoftmaxCrossEntropy op) {
  const uint32_t* rows = op.batch.order + (op.batch.step ? op.batch.step->begin : 0);
  const int t = static_cast<int>(threadIdx.x);
  double weights = 0;
  for (int i = t; i < op.batch.n; i += kThreads) weights += op.options.class_weights ? op.options.class_weights[op.batch.labels[rows[i]]] : 1.f;
  const double weight_sum = block_sum(weights), uniform = op.options.label_smoothing / static_cast<double>(op.classes);
  double loss = 0, correct = 0;
  for (int i = t; i < op.batch.n; i += kThreads) {
    const float* z = op.logits + static_cast<size_t>(i) * op.padded;
    float* dz = op.d_logits + static_cast<size_t>(i) * op.padded;
    const int label = op.batch.labels[rows[i]];
    int best = 0;
    for (int c = 1; c < op.classes; ++c)
      if (z[c] > z[best]) best = c;
    double sum = 0, mass = 0;  // mass: sum over classes of weight * target
    for (int c = 0; c < op.classes; ++c) sum += exp(static_cast<double>(z[c]) - z[best]);
    const double log_sum = log(sum) + z[best];
    for (int c = 0; c < op.classes; ++c) {
      const double target =
          ((c == label ? 1.0 - op.options.label_smoothing : 0.0) + uniform) * (op.options.class_weights ? op.options.class_weights[c] : 1.f);
      mass += target;
      loss += target * (log_sum - z[c]);
      dz[c] = static_cast<float>(-target / weight_sum);
    }
    for (int c = 0; c < op.classes; ++c) dz[c] += static_cast<float>(mass * exp(z[c] - log_sum) / weight_sum);
    for (int c = op.classes; c < op.padded; ++c) dz[c] = 0.f;
    correct += best == label;
  }
  loss = block_sum(loss);
  correct = block_sum(correct);
  if (t != 0) return;
  op.totals->loss_sum += loss / weight_sum * op.batch.n;
  op.totals->correct += static_cast<int64_t>(correct);
}

}  // namespace

void CudaBackend::run(const SoftmaxCrossEntropy& op) {
  launch("softmax cross-entropy", softmax_cross_entropy, dim3(1), dim3(kThreads), work_->stream(), op);
}

}  // namespace fer::cuda
