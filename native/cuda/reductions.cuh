// Sums over a whole grid in one launch and always in the same order: each block leaves its partial sums, and the blocks that
// finish last add them up. The counters that find those are the only atomics; they take no part in the sums.
#pragma once
#include "cuda/float_float.h"
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

// Row blocks are added in groups, the groups' sums then among themselves: groups of about the square root of their number, so
// that the last blocks of the groups work side by side and no block has many to add. The logarithm of a group's size.
__host__ __device__ inline int group_shift(int blocks) {
  int shift = 3;
  while (1 << 2 * shift < blocks) ++shift;
  return shift;
}
__host__ __device__ inline int groups_of(int blocks) { return (blocks + (1 << group_shift(blocks)) - 1) >> group_shift(blocks); }
// What grid_totals needs: rows of partial sums, and counters for each tile of columns.
inline size_t partial_rows(unsigned blocks) { return blocks + static_cast<size_t>(groups_of(static_cast<int>(blocks))); }
inline size_t counters_a_tile(unsigned blocks) { return static_cast<size_t>(groups_of(static_cast<int>(blocks))) + 1; }

// Adds the grid's row blocks' partial[block][q][channels], columns first .. first + width (a power of two, at most 128) of it, always in the same
// order. True in the first `width` threads of the last block, where totals[q] is that of column first + thread.
template <int Q>
__device__ bool grid_totals(FloatFloat (&totals)[Q], float* partial, unsigned* counters, int channels, int first, int width) {
  __shared__ FloatFloat parts[Q * 128];
  const int t = thread_in_block(), blocks = static_cast<int>(gridDim.x), shift = group_shift(blocks), groups = groups_of(blocks),
            group = static_cast<int>(blockIdx.x) >> shift;
  int across = 0;
  while (1 << across < width) ++across;
  unsigned* mine = counters + blockIdx.y * (groups + 1);
  auto sum = [&](int i, int begin, int end) {
    const float* at = partial + (static_cast<size_t>(begin) * Q + (i >> across)) * channels + first + (i & (width - 1));
    FloatFloat total{};
#pragma unroll 8
    for (int row = begin; row < end; ++row, at += Q * channels) total += __ldcg(at);
    return total;
  };
  const int begin = group << shift, end = min(blocks, begin + (1 << shift));
  if (!arrives_last(mine + group, static_cast<unsigned>(end - begin))) return false;
  if (groups > 1) {
    for (int i = t; i < Q * width; i += kThreads)
      if (first + (i & (width - 1)) < channels)
        partial[(static_cast<size_t>(blocks + group) * Q + (i >> across)) * channels + first + (i & (width - 1))] = sum(i, begin, end).value();
    if (!arrives_last(mine + groups, static_cast<unsigned>(groups))) return false;
  }
  for (int i = t; i < Q * width; i += kThreads)
    // NOLINTNEXTLINE(clang-analyzer-security.ArrayBound): the width is 128 at most
    if (first + (i & (width - 1)) < channels) parts[i] = groups > 1 ? sum(i, blocks, blocks + groups) : sum(i, 0, blocks);
  __syncthreads();
  if (t >= width || first + t >= channels) return false;
#pragma unroll
  for (int q = 0; q < Q; ++q) totals[q] = parts[q * width + t];
  return true;
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
// `most_blocks`: in all. Kernels with sums take eight rows a thread, so that the partial sums stay few beside the data.
inline RowGrid row_grid(size_t rows, int channels, unsigned most_blocks, unsigned rows_a_thread = 8) {
  unsigned x = 1;
  while (x < 32 && 8 * x <= static_cast<unsigned>(channels)) x *= 2;
  const unsigned y = kThreads / x;
  const unsigned tiles = blocks_for(channels, 4 * x), most = most_blocks > tiles ? most_blocks / tiles : 1,
                 blocks = blocks_for(rows, static_cast<size_t>(y) * rows_a_thread);
  return {dim3(blocks < most ? blocks : most, tiles), dim3(x, y)};
}

// Batch statistics from sum and sum of squares over `count` rows; running statistics as PyTorch updates them.
__device__ inline void finish_statistics(const BatchNorm& bn, int c, float count, const FloatFloat& sum, const FloatFloat& square) {
  const FloatFloat mean = quotient(sum, count);
  const float variance = fmaxf(minus_square(quotient(square, count), mean), 0.f), inv_std = 1.f / sqrtf(variance + kBatchNormEpsilon);
  const float unbiased = count > 1.f ? count / (count - 1.f) : 1.f, scale = bn.gamma[c] * inv_std;
  bn.mean[c] = mean.high;
  bn.inv_std[c] = inv_std;
  bn.scale[c] = scale;
  bn.shift[c] = fmaf(-mean.high, scale, bn.beta[c]);
  bn.running_mean[c] += kBatchNormMomentum * (mean.high - bn.running_mean[c]);
  bn.running_var[c] += kBatchNormMomentum * (variance * unbiased - bn.running_var[c]);
}

// d_gamma = sum g z_hat, d_beta = sum g;  dz = gamma/std * (g - d_beta/N - z_hat * d_gamma/N)   (Ioffe and Szegedy, 2015)
__device__ inline void finish_gradients(const BatchNorm& bn, int c, float count, float sum, float sum_hat) {
  const float a = bn.gamma[c] * bn.inv_std[c], b = -a * bn.inv_std[c] * sum_hat / count;
  bn.d_beta[c] = sum;
  bn.d_gamma[c] = sum_hat;
  bn.a[c] = a;
  bn.b[c] = b;
  bn.c[c] = fmaf(-b, bn.mean[c], -a * sum / count);
}

// For every lane of the warp, of all lanes' values.
__device__ inline float warp_sum(float value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xffffffffu, value, lanes);
  return value;
}
__device__ inline float warp_max(float value) {
  for (int lanes = 16; lanes > 0; lanes /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, lanes));
  return value;
}

// Each value becomes the sum of all threads', in every thread of a block of one dimension.
template <int Q>
__device__ void block_sums(float (&values)[Q]) {
  __shared__ float parts[kThreads / 32][Q];
  const int t = static_cast<int>(threadIdx.x);
  for (float& value : values) value = warp_sum(value);
  if (t % 32 == 0)
    for (int q = 0; q < Q; ++q) parts[t / 32][q] = values[q];
  __syncthreads();
  for (int q = 0; q < Q; ++q) {
    values[q] = parts[0][q];
    for (int warp = 1; warp < kThreads / 32; ++warp) values[q] += parts[warp][q];
  }
  __syncthreads();
}

}  // namespace fer::cuda
