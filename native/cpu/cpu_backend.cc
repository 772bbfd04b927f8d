// Construction, work splitting and batch-norm bookkeeping of the CPU backend.
#include "cpu/cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/scratch_slots.h"

namespace fer {

std::unique_ptr<Backend> make_cpu_backend(int threads) { return std::make_unique<cpu::CpuBackend>(threads); }

}  // namespace fer

namespace fer::cpu {
namespace {

class CpuProgram final : public Program {
 public:
  explicit CpuProgram(std::function<void()> ops) : ops_(std::move(ops)) {}
  void run() override { ops_(); }

 private:
  std::function<void()> ops_;
};

}  // namespace

CpuBackend::CpuBackend(int threads, const Kernels& kernels) : pool_(std::max(threads, 1)), k_(kernels), scratch_(pool_.size()) {}

std::string CpuBackend::description() const {
  return std::string("CPU, ") + k_.name + " kernels, " + std::to_string(pool_.size()) + (pool_.size() == 1 ? " thread" : " threads");
}

CpuBackend::Slice CpuBackend::slice(int n, int thread) const {
  const int64_t threads = pool_.size();
  return {static_cast<int>(n * int64_t{thread} / threads), static_cast<int>(n * int64_t{thread + 1} / threads)};
}

void CpuBackend::for_each_lane(const std::function<void(int, Backend&)>& body) {
  while (lane_backends_.size() < static_cast<size_t>(pool_.size())) lane_backends_.push_back(std::make_unique<CpuBackend>(1, k_));
  pool_.run([&](int t) { body(t, *lane_backends_[t]); });
}

void CpuBackend::reduce_floats(int slot, size_t count, float* out) {
  std::vector<const float*> parts;
  parts.reserve(scratch_.size());
  for (Scratch& s : scratch_) parts.push_back(s.floats(slot, count));
  auto body = [&](int t) {
    const size_t begin = count * t / pool_.size(), end = count * (t + 1) / pool_.size();
    for (size_t i = begin; i < end; ++i) {
      float sum = parts[0][i];
      for (size_t p = 1; p < parts.size(); ++p) sum += parts[p][i];
      out[i] = sum;
    }
  };
  if (count < 16384)
    for (int t = 0; t < pool_.size(); ++t) body(t);
  else pool_.run(body);
}

const float* CpuBackend::packed(int slot, const float* b, int k, int n, bool transposed) {
  float* memory = scratch_[0].floats(slot, static_cast<size_t>(k) * n);
  k_.pack(b, k, n, transposed, memory);
  return memory;
}

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

std::unique_ptr<Program> CpuBackend::record(std::function<void()> ops) { return std::make_unique<CpuProgram>(std::move(ops)); }

void CpuBackend::advance(const StepState* schedule, StepState* now) { *now = schedule[now->index + 1]; }

void CpuBackend::use_running_statistics(const BatchNorm& bn) {
  for (int c = 0; c < bn.channels; ++c) {
    const float inv_std = 1.f / std::sqrt(bn.running_var[c] + kBatchNormEpsilon);
    bn.scale[c] = bn.gamma[c] * inv_std;
    bn.shift[c] = bn.beta[c] - bn.running_mean[c] * bn.scale[c];
  }
}

void CpuBackend::gather(const Batch& batch, const AugmentPass* augmentation, int out_size, float* x) {
  const size_t pixels = static_cast<size_t>(batch.size) * batch.size, out_pixels = static_cast<size_t>(out_size) * out_size;
  const uint32_t begin = batch.step ? batch.step->begin : 0, *rows = batch.order + begin;
  AugmentPass pass = augmentation ? *augmentation : AugmentPass{};
  if (batch.step) pass.epoch = batch.step->epoch;
  pool_.run([&](int t) {
    const Slice s = slice(batch.n, t);
    for (int i = s.begin; i < s.end; ++i)
      augment(batch.images + rows[i] * pixels, batch.size, rows[i], batch.variants ? batch.variants[begin + i] : Variant{},
              augmentation ? &pass : nullptr, out_size, x + i * out_pixels);
  });
}

}  // namespace fer::cpu
