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

__global__ void __launch_bounds__(kThreads, 1)
    softmax_cross_entropy(HeadShape s, const float* logits, Batch batch, LossOptions options, float* d_logits, LossTotals* totals) {
  const uint32_t* rows = batch.order + (batch.step ? batch.step->begin : 0);
  const int t = static_cast<int>(threadIdx.x);
  double weights = 0;
  for (int i = t; i < s.n; i += kThreads) weights += options.class_weights ? options.class_weights[batch.labels[rows[i]]] : 1.f;
  const double weight_sum = block_sum(weights), uniform = options.label_smoothing / static_cast<double>(s.classes);
  double loss = 0, correct = 0;
  for (int i = t; i < s.n; i += kThreads) {
    const float* z = logits + static_cast<size_t>(i) * s.classes_padded;
    float* dz = d_logits + static_cast<size_t>(i) * s.classes_padded;
    const int label = batch.labels[rows[i]];
    int best = 0;
    for (int c = 1; c < s.classes; ++c)
      if (z[c] > z[best]) best = c;
    double sum = 0, mass = 0;  // mass: sum over classes of weight * target
    for (int c = 0; c < s.classes; ++c) sum += exp(static_cast<double>(z[c]) - z[best]);
    const double log_sum = log(sum) + z[best];
    for (int c = 0; c < s.classes; ++c) {
      const double target = ((c == label ? 1.0 - options.label_smoothing : 0.0) + uniform) * (options.class_weights ? options.class_weights[c] : 1.f);
      mass += target;
      loss += target * (log_sum - z[c]);
      dz[c] = static_cast<float>(-target / weight_sum);
    }
    for (int c = 0; c < s.classes; ++c) dz[c] += static_cast<float>(mass * exp(z[c] - log_sum) / weight_sum);
    for (int c = s.classes; c < s.classes_padded; ++c) dz[c] = 0.f;
    correct += best == label;
  }
  loss = block_sum(loss);
  correct = block_sum(correct);
  if (t != 0) return;
  totals->loss_sum += loss / weight_sum * s.n;
  totals->correct += static_cast<int64_t>(correct);
}

}  // namespace

void CudaBackend::softmax_cross_entropy(const HeadShape& s, const float* logits, const Batch& batch, const LossOptions& options, float* d_logits,
                                        LossTotals* totals) {
  enter();
  launch("softmax cross-entropy", cuda::softmax_cross_entropy, dim3(1), dim3(kThreads), work_->stream(), s, logits, batch, options, d_logits, totals);
}

}  // namespace fer::cuda
