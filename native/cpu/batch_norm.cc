// Batch norm's bookkeeping: statistics, gradients and inference's constants, a channel at a time.
#include <algorithm>
#include <cmath>

#include "cpu/cpu_backend.h"
#include "cpu/scratch_slots.h"

namespace fer::cpu {

void CpuBackend::finish_statistics(BatchNorm& bn, int64_t count) {
  const double per = 1.0 / static_cast<double>(count);
  const double unbiased = count > 1 ? static_cast<double>(count) / static_cast<double>(count - 1) : 1.0;
  for (int c = 0; c < bn.channels; ++c) {
    double sum = 0, square = 0;
    for (Scratch& s : scratch_) {
      sum += s.doubles(kSum, bn.channels)[c];
      square += s.doubles(kSquare, bn.channels)[c];
    }
    const double mean = sum * per, variance = std::max(square * per - mean * mean, 0.0);
    const double inv_std = 1.0 / std::sqrt(variance + kBatchNormEpsilon);
    bn.mean[c] = static_cast<float>(mean);
    bn.inv_std[c] = static_cast<float>(inv_std);
    bn.scale[c] = static_cast<float>(bn.gamma[c] * inv_std);
    bn.shift[c] = static_cast<float>(bn.beta[c] - mean * bn.gamma[c] * inv_std);
    bn.running_mean[c] += kBatchNormMomentum * (bn.mean[c] - bn.running_mean[c]);
    bn.running_var[c] += kBatchNormMomentum * (static_cast<float>(variance * unbiased) - bn.running_var[c]);
  }
}

// d_gamma = sum g z_hat, d_beta = sum g;  dz = gamma/std * (g - d_beta/N - z_hat * d_gamma/N)   (Ioffe and Szegedy, 2015)
void CpuBackend::finish_gradients(BatchNorm& bn, int64_t count, const double* sum, const double* sum_hat) {
  const double per = 1.0 / static_cast<double>(count);
  for (int c = 0; c < bn.channels; ++c) {
    bn.d_beta[c] = static_cast<float>(sum[c]);
    bn.d_gamma[c] = static_cast<float>(sum_hat[c]);
    const double a = static_cast<double>(bn.gamma[c]) * bn.inv_std[c], b = -a * bn.inv_std[c] * sum_hat[c] * per;
    bn.a[c] = static_cast<float>(a);
    bn.b[c] = static_cast<float>(b);
    bn.c[c] = static_cast<float>(-a * sum[c] * per - b * bn.mean[c]);
  }
}

void CpuBackend::batch_norm_sums(int slot_sum, int slot_hat, BatchNorm& bn, int64_t count) {
  double* sum = scratch_[0].doubles(slot_sum, bn.channels);
  double* hat = scratch_[0].doubles(slot_hat, bn.channels);
  for (size_t t = 1; t < scratch_.size(); ++t) {
    const double *other_sum = scratch_[t].doubles(slot_sum, bn.channels), *other_hat = scratch_[t].doubles(slot_hat, bn.channels);
    for (int c = 0; c < bn.channels; ++c) {
      sum[c] += other_sum[c];
      hat[c] += other_hat[c];
    }
  }
  finish_gradients(bn, count, sum, hat);
}

void CpuBackend::run(const UseRunningStatistics& op) {
  const BatchNorm& bn = op.bn;
  for (int c = 0; c < bn.channels; ++c) {
    const float inv_std = 1.f / std::sqrt(bn.running_var[c] + kBatchNormEpsilon);
    bn.scale[c] = bn.gamma[c] * inv_std;
    bn.shift[c] = bn.beta[c] - bn.running_mean[c] * bn.scale[c];
  }
}

}  // namespace fer::cpu
