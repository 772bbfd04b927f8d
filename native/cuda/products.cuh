// Every matrix product of the network as one of two kernels: `product` (few columns, very many rows: convolutions forward and
// their input gradients, windows formed while loading) and `outer_product` (summed over the rows: weight gradients).
#pragma once
#include "cuda/reductions.cuh"

namespace fer::cuda {

constexpr int kDepth = 16;  // of a shared-memory tile

// Weights [k][n], or read transposed from [n][k]. `quad`: four values that lie side by side, of columns where not transposed,
// else along k.
struct Weights {
  static constexpr bool kTransposed = false;
  const float* w;
  int n;
  __device__ float4 quad(int k, int column) const { return load4(w + static_cast<size_t>(k) * n + column); }
};
struct TransposedWeights {
  static constexpr bool kTransposed = true;
  const float* w;
  int k;
  __device__ float4 quad(int row, int column) const { return load4(w + static_cast<size_t>(column) * k + row); }
};
// Convolution weights [tap][in][out] as seen by the input gradient: k is tap * out + co, the column is the input channel.
struct TransposedTaps {
  static constexpr bool kTransposed = true;
  const float* w;
  int in, out;
  __device__ float4 quad(int k, int column) const { return load4(w + (static_cast<size_t>(k / out) * in + column) * out + k % out); }
};

// What becomes of the results of two neighbouring columns: they are stored, and contribute (x, y of each) to two sums of their
// column, which `finish` receives.
struct Store {
  static constexpr bool kSums = false;
  float* out;
  int n;
  __device__ float4 pair(int row, int column, float2 v) const {
    *reinterpret_cast<float2*>(out + static_cast<size_t>(row) * n + column) = v;
    return zero4();
  }
};
// Outside training the sums are left out.
struct StoreWithStatistics {
  static constexpr bool kSums = true;
  float* out;
  int n;
  BatchNorm bn;
  double count;
  bool training;
  __device__ bool sums() const { return training; }
  __device__ float4 pair(int row, int column, float2 v) const {
    *reinterpret_cast<float2*>(out + static_cast<size_t>(row) * n + column) = v;
    return make_float4(v.x, v.y, v.x * v.x, v.y * v.y);
  }
  __device__ void finish(int column, double sum, double square) const { finish_statistics(bn, column, count, sum, square); }
};
// The gradient of a normalised, rectified input: masked, with the sums its batch norm needs. Unmasked where the input is none.
struct StoreMasked {
  static constexpr bool kSums = true;
  float* out;
  const float* z;
  int n;
  BatchNorm bn;
  double count;
  bool normalised;
  __device__ bool sums() const { return normalised; }
  __device__ float4 pair(int row, int column, float2 v) const {
    const size_t at = static_cast<size_t>(row) * n + column;
    float4 sums = zero4();
    if (normalised) {
      const float2 input = *reinterpret_cast<const float2*>(z + at);
      if (!(fmaf(input.x, bn.scale[column], bn.shift[column]) > 0.f)) v.x = 0.f;
      if (!(fmaf(input.y, bn.scale[column + 1], bn.shift[column + 1]) > 0.f)) v.y = 0.f;
      sums = make_float4(v.x, v.y, v.x * (input.x - bn.mean[column]) * bn.inv_std[column], v.y * (input.y - bn.mean[column + 1]) * bn.inv_std[column + 1]);
    }
    *reinterpret_cast<float2*>(out + at) = v;
    return sums;
  }
  __device__ void finish(int column, double sum, double sum_hat) const { finish_gradients(bn, column, count, sum, sum_hat); }
};

// The end of a product with sums: parts[which][y][column], added over y, become this block's partial sums, and the row's last
// block finishes the columns of its tile.
template <int BN, int PARTS, class Out>
__device__ void finish_columns(const Out& out, const float (&parts)[2][PARTS][BN], int n0, int n, float* partial, unsigned* counters) {
  const int t = static_cast<int>(threadIdx.x);
  for (int i = t; i < 2 * BN; i += kThreads) {
    const int which = i / BN, column = i % BN;
    float sum = 0;
    for (int y = 0; y < PARTS; ++y) sum += parts[which][y][column];
    if (n0 + column < n) partial[(static_cast<size_t>(blockIdx.x) * 2 + which) * n + n0 + column] = sum;
  }
  if (!arrives_last(counters + blockIdx.y, gridDim.x)) return;
  const int column = n0 + t % BN;
  const float* mine = column < n ? partial + column : nullptr;
  const double sum = column_total(mine, 2 * static_cast<size_t>(n), static_cast<int>(gridDim.x), BN);
  const double sum2 = column_total(mine ? mine + n : nullptr, 2 * static_cast<size_t>(n), static_cast<int>(gridDim.x), BN);
  if (t < BN && column < n) out.finish(column, sum, sum2);
}

// The end of an outer product of many splits: out's tile becomes the sum of the splits' partial ones, in order.
template <int BM, int BN>
__device__ void add_splits(float* out, const float* partial, int m0, int n0, int m, int n) {
  const size_t whole = static_cast<size_t>(m) * n;
  for (int i = static_cast<int>(threadIdx.x); i < BM * BN; i += kThreads) {
    const int row = m0 + i / BN, column = n0 + i % BN;
    if (row >= m || column >= n) continue;
    const size_t at = static_cast<size_t>(row) * n + column;
    float sum = 0;
    for (unsigned z = 0; z < gridDim.z; ++z) sum += __ldcg(partial + z * whole + at);
    out[at] = sum;
  }
}

// out(m, n) = sum over k of a(m, k) * b(k, n). Grid: row tiles, column tiles. K is a multiple of 4, N of 8.
template <int BM, int BN, int TM, int TN, class A, class B, class Out>
__global__ void __launch_bounds__(kThreads, 1) product(A a, B b, Out out, int m, int n, int k, float* partial, unsigned* counters) {
  constexpr int kAcross = BN / TN, kDown = BM / TM;
  static_assert(kAcross * kDown == kThreads);
  __shared__ float as[kDepth][BM + 4];
  alignas(16) __shared__ float bs[kDepth][BN];
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
    for (int i = t; i < kDepth * BN / 4; i += kThreads) {
      const int row = B::kTransposed ? i % (kDepth / 4) * 4 : i / (BN / 4), column = B::kTransposed ? i / (kDepth / 4) : i % (BN / 4) * 4;
      const float4 v = k0 + row < k && n0 + column < n ? b.quad(k0 + row, n0 + column) : zero4();
      if constexpr (B::kTransposed) {
        bs[row][column] = v.x;
        bs[row + 1][column] = v.y;
        bs[row + 2][column] = v.z;
        bs[row + 3][column] = v.w;
      } else {
        store4(&bs[row][column], v);
      }
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
#pragma unroll
  for (int i = 0; i < TM; ++i)
#pragma unroll
    for (int j = 0; j < TN; j += 2) {
      const int row = m0 + ty * TM + i, column = n0 + tx * TN + j;
      if (row >= m || column >= n) continue;
      const float4 s = out.pair(row, column, make_float2(sums[i][j], sums[i][j + 1]));
      first[j] += s.x;
      first[j + 1] += s.y;
      second[j] += s.z;
      second[j + 1] += s.w;
    }
  if constexpr (Out::kSums) {
    if (!out.sums()) return;
    __shared__ float parts[2][kDown][BN];
    for (int j = 0; j < TN; ++j) {
      parts[0][ty][tx * TN + j] = first[j];
      parts[1][ty][tx * TN + j] = second[j];
    }
    __syncthreads();
    finish_columns<BN, kDown>(out, parts, n0, n, partial, counters);
  }
}

// out[m][n] = sum over rows r of a(r, m) * b(r, n). Grid: m tiles, n tiles, splits of the rows; the split that finishes last
// adds the others' partial tiles [split][m][n] in order.
template <int BM, int BN, int TM, int TN, class A, class B>
__global__ void __launch_bounds__(kThreads, 1) outer_product(A a, B b, float* out, int m, int n, int rows, int rows_per_split, float* partial, unsigned* counters) {
  constexpr int kAcross = BN / TN;
  static_assert(kAcross * (BM / TM) == kThreads);
  alignas(16) __shared__ float as[kDepth][BM];
  alignas(16) __shared__ float bs[kDepth][BN];
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
  add_splits<BM, BN>(out, partial, m0, n0, m, n);
}

}  // namespace fer::cuda
