// Sums over a whole grid in one launch and always in the same order: each block leaves its partial sums, and the block that
// finishes last adds them up. The counter that finds the last block is the only atomic; it takes no part in the sums.
#pragma once
#include "cuda/loaders.cuh"

namespace fer::cuda {

constexpr int kThreads = 256;

__device__ inline int thread_in_block() { return static_cast<int>(threadIdx.y * blockDim.x + threadIdx.x); }

// True in every thread of the block that arrives last; leaves the counter at zero for the next launch.
__device__ inline bool arrives_last(unsigned* counter, unsigned blocks) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (thread_in_block() == 0) {
    last = atomicAdd(counter, 1u) == blocks - 1;
    if (last) *counter = 0;
  }
  __syncthreads();
  __threadfence();
  return last;
}

// Sum over `blocks` of partial[block * stride] for the `width` columns of a tile (a power of two, at most 256): thread t
// passes the address of column t % width, or null. Valid in threads below `width`.
__device__ inline double column_total(const float* partial, size_t stride, int blocks, int width) {
  __shared__ double parts[kThreads];
  const int t = thread_in_block(), groups = kThreads / width;
  double sum = 0;
  if (partial)
    for (int b = t / width; b < blocks; b += groups) sum += __ldcg(partial + b * stride);
  parts[t] = sum;
  __syncthreads();
  double total = 0;
  if (t < width)
    for (int g = 0; g < groups; ++g) total += parts[g * width + t];
  __syncthreads();
  return total;
}

// Sums Q accumulators of four channels over threadIdx.y (a power of two) into partial[q][channels], from channel c on.
template <int Q>
__device__ void block_columns(const float4 (&sums)[Q], float* partial, int channels, int c) {
  __shared__ float4 parts[kThreads];
  const int t = thread_in_block();
  for (int q = 0; q < Q; ++q) {
    parts[t] = sums[q];
    __syncthreads();
    for (int half = static_cast<int>(blockDim.y) / 2; half > 0; half /= 2) {
      if (static_cast<int>(threadIdx.y) < half) parts[t] = add(parts[t], parts[t + half * static_cast<int>(blockDim.x)]);
      __syncthreads();
    }
    if (threadIdx.y == 0 && c < channels) store4(partial + static_cast<size_t>(q) * channels + c, parts[t]);
    __syncthreads();
  }
}

// Threads (x: groups of four channels, y: rows) and grid (x: row blocks, y: channel tiles) of kernels that walk rows.
struct RowGrid {
  dim3 grid, block;
};
inline RowGrid row_grid(size_t rows, int channels, unsigned most_blocks) {
  unsigned x = 1;
  while (x < 32 && 8 * x <= static_cast<unsigned>(channels)) x *= 2;
  const unsigned y = kThreads / x;
  // Eight rows a thread, so that the partial sums stay few beside the data.
  const unsigned blocks = blocks_for(rows, static_cast<size_t>(y) * 8);
  return {dim3(blocks < most_blocks ? blocks : most_blocks, blocks_for(channels, 4 * x)), dim3(x, y)};
}

// Batch statistics from sum and sum of squares over `count` rows; running statistics as PyTorch updates them.
__device__ inline void finish_statistics(const BatchNorm& bn, int c, double count, double sum, double square) {
  const double mean = sum / count, variance = fmax(square / count - mean * mean, 0.0);
  const double inv_std = 1.0 / sqrt(variance + kBatchNormEpsilon);
  const double unbiased = count > 1 ? count / (count - 1) : 1.0;
  bn.mean[c] = static_cast<float>(mean);
  bn.inv_std[c] = static_cast<float>(inv_std);
  bn.scale[c] = static_cast<float>(bn.gamma[c] * inv_std);
  bn.shift[c] = static_cast<float>(bn.beta[c] - mean * bn.gamma[c] * inv_std);
  bn.running_mean[c] += kBatchNormMomentum * (bn.mean[c] - bn.running_mean[c]);
  bn.running_var[c] += kBatchNormMomentum * (static_cast<float>(variance * unbiased) - bn.running_var[c]);
}

// d_gamma = sum g z_hat, d_beta = sum g;  dz = gamma/std * (g - d_beta/N - z_hat * d_gamma/N)   (Ioffe and Szegedy, 2015)
__device__ inline void finish_gradients(const BatchNorm& bn, int c, double count, double sum, double sum_hat) {
  const double a = static_cast<double>(bn.gamma[c]) * bn.inv_std[c], b = -a * bn.inv_std[c] * sum_hat / count;
  bn.d_beta[c] = static_cast<float>(sum);
  bn.d_gamma[c] = static_cast<float>(sum_hat);
  bn.a[c] = static_cast<float>(a);
  bn.b[c] = static_cast<float>(b);
  bn.c[c] = static_cast<float>(-a * sum / count - b * bn.mean[c]);
}

}  // namespace fer::cuda
