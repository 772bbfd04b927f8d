// Every matrix product of the network as one of two kernels: `product` (few columns, very many rows: convolutions forward and
// their input gradients, windows formed while loading) and `outer_product` (summed over the rows: weight gradients).
#pragma once
#include "cuda/reductions.cuh"

namespace fer::cuda {

constexpr int kDepth = 16;  // of a shared-memory tile

// Weights [k][n], or read transposed from [n][k].
struct Weights {
  static constexpr bool kTransposed = false;
  const float* w;
  int n;
  __device__ float operator()(int k, int column) const { return w[static_cast<size_t>(k) * n + column]; }
};
struct TransposedWeights {
  static constexpr bool kTransposed = true;
  const float* w;
  int k;
  __device__ float operator()(int row, int column) const { return w[static_cast<size_t>(column) * k + row]; }
};
// Convolution weights [tap][in][out] as seen by the input gradient: k is tap * out + co, the column is the input channel.
struct TransposedTaps {
  static constexpr bool kTransposed = true;
  const float* w;
  int in, out;
  __device__ float operator()(int k, int column) const {
    return w[(static_cast<size_t>(k / out) * in + column) * out + k % out];
  }
};

// What becomes of a result: it is stored, and contributes (x, y) to two sums of its column, which `finish` receives.
struct Store {
  static constexpr bool kSums = false;
  float* out;
  int n;
  __device__ float2 operator()(int row, int column, float v) const {
    out[static_cast<size_t>(row) * n + column] = v;
    return make_float2(0.f, 0.f);
  }
  __device__ void finish(int, double, double) const {}
};
struct StoreWithStatistics {
  static constexpr bool kSums = true;
  float* out;
  int n;
  BatchNorm bn;
  double count;
  __device__ float2 operator()(int row, int column, float v) const {
    out[static_cast<size_t>(row) * n + column] = v;
    return make_float2(v, v * v);
  }
  __device__ void finish(int column, double sum, double square) const { finish_statistics(bn, column, count, sum, square); }
};
// The gradient of a normalised, rectified input: masked, with the sums its batch norm needs.
struct StoreMasked {
  static constexpr bool kSums = true;
  float* out;
  const float* z;
  int n;
  BatchNorm bn;
  double count;
  __device__ float2 operator()(int row, int column, float v) const {
    const size_t at = static_cast<size_t>(row) * n + column;
    const float input = z[at], g = fmaf(input, bn.scale[column], bn.shift[column]) > 0.f ? v : 0.f;
    out[at] = g;
    return make_float2(g, g * (input - bn.mean[column]) * bn.inv_std[column]);
  }
  __device__ void finish(int column, double sum, double sum_hat) const { finish_gradients(bn, column, count, sum, sum_hat); }
};

// out(m, n) = sum over k of a(m, k) * b(k, n). Grid: row tiles, column tiles. K is a multiple of 4.
template <int BM, int BN, int TM, int TN, class A, class B, class Out>
__global__ void __launch_bounds__(kThreads) product(A a, B b, Out out, int m, int n, int k, float* partial, unsigned* counters) {
  constexpr int kAcross = BN / TN, kDown = BM / TM;
  static_assert(kAcross * kDown == kThreads);
  __shared__ float as[kDepth][BM + 4];
  __shared__ float bs[kDepth][BN];
  const int t = static_cast<int>(threadIdx.x), tx = t % kAcross, ty = t / kAcross;
  const int m0 = static_cast<int>(blockIdx.x) * BM, n0 = static_cast<int>(blockIdx.y) * BN;
  float sums[TM][TN] = {};
  for (int k0 = 0; k0 < k; k0 += kDepth) {
    for (int i = t; i < BM * kDepth / 4; i += kThreads) {
      const int row = i / (kDepth / 4), q = i % (kDepth / 4) * 4;
      const float4 v = m0 + row < m && k0 + q < k ? a(m0 + row, k0 + q) : zero4();
      as[q][row] = v.x;
      as[q + 1][row] = v.y;
      as[q + 2][row] = v.z;
      as[q + 3][row] = v.w;
    }
    for (int i = t; i < kDepth * BN; i += kThreads) {
      const int row = B::kTransposed ? i % kDepth : i / BN, column = B::kTransposed ? i / kDepth : i % BN;
      bs[row][column] = k0 + row < k && n0 + column < n ? b(k0 + row, n0 + column) : 0.f;
    }
    __syncthreads();
#pragma unroll
    for (int d = 0; d < kDepth; ++d) {
      float left[TM], right[TN];
#pragma unroll
      for (int i = 0; i < TM; ++i) left[i] = as[d][ty * TM + i];
#pragma unroll
      for (int j = 0; j < TN; ++j) right[j] = bs[d][tx * TN + j];
#pragma unroll
      for (int i = 0; i < TM; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) sums[i][j] = fmaf(left[i], right[j], sums[i][j]);
    }
    __syncthreads();
  }

  float first[TN] = {}, second[TN] = {};
  for (int i = 0; i < TM; ++i)
    for (int j = 0; j < TN; ++j) {
      const int row = m0 + ty * TM + i, column = n0 + tx * TN + j;
      if (row >= m || column >= n) continue;
      const float2 s = out(row, column, sums[i][j]);
      first[j] += s.x;
      second[j] += s.y;
    }
  if constexpr (Out::kSums) {
    __shared__ float parts[2][kDown][BN];
    for (int j = 0; j < TN; ++j) {
      parts[0][ty][tx * TN + j] = first[j];
      parts[1][ty][tx * TN + j] = second[j];
    }
    __syncthreads();
    for (int i = t; i < 2 * BN; i += kThreads) {
      const int which = i / BN, column = i % BN;
      float sum = 0;
      for (int y = 0; y < kDown; ++y) sum += parts[which][y][column];
      if (n0 + column < n) partial[(static_cast<size_t>(blockIdx.x) * 2 + which) * n + n0 + column] = sum;
    }
    if (!arrives_last(counters + blockIdx.y, gridDim.x)) return;
    const int column = n0 + t % BN;
    const float* mine = column < n ? partial + column : nullptr;
    const double sum = column_total(mine, 2 * static_cast<size_t>(n), static_cast<int>(gridDim.x), BN);
    const double sum2 = column_total(mine ? mine + n : nullptr, 2 * static_cast<size_t>(n), static_cast<int>(gridDim.x), BN);
    if (t < BN && column < n) out.finish(column, sum, sum2);
  }
}

// out[m][n] = sum over rows r of a(r, m) * b(r, n). Grid: m tiles, n tiles, splits of the rows; the split that finishes last
// adds the others' partial tiles [split][m][n] in order.
template <int BM, int BN, int TM, int TN, class A, class B>
__global__ void __launch_bounds__(kThreads) outer_product(A a, B b, float* out, int m, int n, int rows, int rows_per_split, float* partial, unsigned* counters) {
  constexpr int kAcross = BN / TN;
  static_assert(kAcross * (BM / TM) == kThreads);
  __shared__ float as[kDepth][BM];
  __shared__ float bs[kDepth][BN];
  const int t = static_cast<int>(threadIdx.x), tx = t % kAcross, ty = t / kAcross;
  const int m0 = static_cast<int>(blockIdx.x) * BM, n0 = static_cast<int>(blockIdx.y) * BN;
  const int begin = static_cast<int>(blockIdx.z) * rows_per_split, end = min(rows, begin + rows_per_split);
  float sums[TM][TN] = {};
  for (int r0 = begin; r0 < end; r0 += kDepth) {
    for (int i = t; i < kDepth * BM / 4; i += kThreads) {
      const int row = i / (BM / 4), q = i % (BM / 4) * 4;
      store4(&as[row][q], r0 + row < end && m0 + q < m ? a(r0 + row, m0 + q) : zero4());
    }
    for (int i = t; i < kDepth * BN / 4; i += kThreads) {
      const int row = i / (BN / 4), q = i % (BN / 4) * 4;
      store4(&bs[row][q], r0 + row < end && n0 + q < n ? b(r0 + row, n0 + q) : zero4());
    }
    __syncthreads();
#pragma unroll
    for (int d = 0; d < kDepth; ++d) {
      float left[TM], right[TN];
#pragma unroll
      for (int i = 0; i < TM; ++i) left[i] = as[d][ty * TM + i];
#pragma unroll
      for (int j = 0; j < TN; ++j) right[j] = bs[d][tx * TN + j];
#pragma unroll
      for (int i = 0; i < TM; ++i)
#pragma unroll
        for (int j = 0; j < TN; ++j) sums[i][j] = fmaf(left[i], right[j], sums[i][j]);
    }
    __syncthreads();
  }

  const size_t tile = static_cast<size_t>(m) * n;
  float* target = gridDim.z == 1 ? out : partial + blockIdx.z * tile;
  for (int i = 0; i < TM; ++i)
    for (int j = 0; j < TN; ++j) {
      const int row = m0 + ty * TM + i, column = n0 + tx * TN + j;
      if (row < m && column < n) target[static_cast<size_t>(row) * n + column] = sums[i][j];
    }
  if (gridDim.z == 1 || !arrives_last(counters + blockIdx.y * gridDim.x + blockIdx.x, gridDim.z)) return;
  for (int i = 0; i < TM; ++i)
    for (int j = 0; j < TN; ++j) {
      const int row = m0 + ty * TM + i, column = n0 + tx * TN + j;
      if (row >= m || column >= n) continue;
      const size_t at = static_cast<size_t>(row) * n + column;
      float sum = 0;
      for (unsigned z = 0; z < gridDim.z; ++z) sum += __ldcg(partial + z * tile + at);
      out[at] = sum;
    }
}

}  // namespace fer::cuda
