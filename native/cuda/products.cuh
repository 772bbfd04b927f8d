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
  Divisor by_out = out;
  __device__ float4 quad(int k, int column) const {
    const auto [tap, c] = by_out(k);
    return load4(w + (static_cast<size_t>(tap) * in + column) * out + c);
  }
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
  float count;
  bool training;
  __device__ bool sums() const { return training; }
  __device__ float4 pair(int row, int column, float2 v) const {
    *reinterpret_cast<float2*>(out + static_cast<size_t>(row) * n + column) = v;
    return make_float4(v.x, v.y, v.x * v.x, v.y * v.y);
  }
  __device__ void finish(int column, const FloatFloat& sum, const FloatFloat& square) const { finish_statistics(bn, column, count, sum, square); }
};
// The gradient of a normalised, rectified input: masked, with the sums its batch norm needs. Unmasked where the input is none.
struct StoreMasked {
  static constexpr bool kSums = true;
  float* out;
  const float* z;
  int n;
  BatchNorm bn;
  float count;
  bool normalised;
  __device__ bool sums() const { return normalised; }
  __device__ float4 pair(int row, int column, float2 v) const {
    const size_t at = static_cast<size_t>(row) * n + column;
    float4 sums = zero4();
    if (normalised) {
      const float2 input = *reinterpret_cast<const float2*>(z + at);
      if (!(fmaf(input.x, bn.scale[column], bn.shift[column]) > 0.f)) v.x = 0.f;
      if (!(fmaf(input.y, bn.scale[column + 1], bn.shift[column + 1]) > 0.f)) v.y = 0.f;
      sums = make_float4(v.x, v.y, v.x * (input.x - bn.mean[column]) * bn.inv_std[column],
                         v.y * (input.y - bn.mean[column + 1]) * bn.inv_std[column + 1]);
    }
    *reinterpret_cast<float2*>(out + at) = v;
    return sums;
  }
  __device__ void finish(int column, const FloatFloat& sum, const FloatFloat& sum_hat) const {
    finish_gradients(bn, column, count, sum.value(), sum_hat.value());
  }
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
  FloatFloat totals[2];
  if (grid_totals(totals, partial, counters, n, n0, BN)) out.finish(n0 + t, totals[0], totals[1]);
}

// sums += left column of a tile of depth d times right row, for a thread's TM x TN part.
template <int DEPTH, int TM, int TN, int LEFT, int RIGHT>
__device__ inline void multiply_tiles(float (&sums)[TM][TN], const float (&as)[DEPTH][LEFT], const float (&bs)[DEPTH][RIGHT], int row, int column) {
#pragma unroll
  for (int d = 0; d < DEPTH; ++d) {
    float left[TM], right[TN];
#pragma unroll
    for (int i = 0; i < TM; ++i) left[i] = as[d][row + i];
#pragma unroll
    for (int j = 0; j < TN; ++j) right[j] = bs[d][column + j];
#pragma unroll
    for (int i = 0; i < TM; ++i)
#pragma unroll
      for (int j = 0; j < TN; ++j) sums[i][j] = fmaf(left[i], right[j], sums[i][j]);
  }
}

// Both kernels fetch the next tile into registers while the present one is multiplied, and keep two tiles of each operand in
// shared memory: one barrier a tile is enough, as a tile is written again only after the barrier that follows its last reading.

// out(m, n) = sum over k of a(m, k) * b(k, n). Grid: row tiles, column tiles. K is a multiple of 4, N of 8.
template <int BM, int BN, int TM, int TN, class A, class B, class Out>
__global__ void __launch_bounds__(kThreads, 1) product(A a, B b, Out out, int m, int n, int k, float* partial, unsigned* counters) {
  constexpr int kAcross = BN / TN, kDown = BM / TM, kUnitsA = BM * kDepth / 4, kUnitsB = BN * kDepth / 4,
                kEachA = (kUnitsA + kThreads - 1) / kThreads, kEachB = (kUnitsB + kThreads - 1) / kThreads;
  static_assert(kAcross * kDown == kThreads && 2 * kDown * BN <= 2 * kDepth * (BM + 4));
  __shared__ float as[2][kDepth][BM + 4];
  alignas(16) __shared__ float bs[2][kDepth][BN];
  const int t = static_cast<int>(threadIdx.x), tx = t % kAcross, ty = t / kAcross;
  const int m0 = static_cast<int>(blockIdx.x) * BM, n0 = static_cast<int>(blockIdx.y) * BN;
  float4 next_a[kEachA], next_b[kEachB];
  auto fetch = [&](int k0) {
#pragma unroll
    for (int e = 0; e < kEachA; ++e) {
      const int i = t + e * kThreads, row = i / (kDepth / 4), q = i % (kDepth / 4) * 4;
      next_a[e] = i < kUnitsA && m0 + row < m && k0 + q < k ? a(m0 + row, k0 + q) : zero4();
    }
#pragma unroll
    for (int e = 0; e < kEachB; ++e) {
      const int i = t + e * kThreads, row = B::kTransposed ? i % (kDepth / 4) * 4 : i / (BN / 4),
                column = B::kTransposed ? i / (kDepth / 4) : i % (BN / 4) * 4;
      next_b[e] = i < kUnitsB && k0 + row < k && n0 + column < n ? b.quad(k0 + row, n0 + column) : zero4();
    }
  };
  auto store = [&](int stage) {
#pragma unroll
    for (int e = 0; e < kEachA; ++e) {
      const int i = t + e * kThreads, row = i / (kDepth / 4), q = i % (kDepth / 4) * 4;
      if (i >= kUnitsA) continue;
      as[stage][q][row] = next_a[e].x;
      as[stage][q + 1][row] = next_a[e].y;
      as[stage][q + 2][row] = next_a[e].z;
      as[stage][q + 3][row] = next_a[e].w;
    }
#pragma unroll
    for (int e = 0; e < kEachB; ++e) {
      const int i = t + e * kThreads, row = B::kTransposed ? i % (kDepth / 4) * 4 : i / (BN / 4),
                column = B::kTransposed ? i / (kDepth / 4) : i % (BN / 4) * 4;
      if (i >= kUnitsB) continue;
      if constexpr (B::kTransposed) {
        bs[stage][row][column] = next_b[e].x;
        bs[stage][row + 1][column] = next_b[e].y;
        bs[stage][row + 2][column] = next_b[e].z;
        bs[stage][row + 3][column] = next_b[e].w;
      } else {
        store4(&bs[stage][row][column], next_b[e]);
      }
    }
  };
  float sums[TM][TN] = {};
  fetch(0);
  for (int k0 = 0, stage = 0; k0 < k; k0 += kDepth, stage ^= 1) {
    store(stage);
    __syncthreads();
    if (k0 + kDepth < k) fetch(k0 + kDepth);
    multiply_tiles(sums, as[stage], bs[stage], ty * TM, tx * TN);
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
    __syncthreads();
    auto& parts = *reinterpret_cast<float (*)[2][kDown][BN]>(&as);  // the tiles are done with
    for (int j = 0; j < TN; ++j) {
      parts[0][ty][tx * TN + j] = first[j];
      parts[1][ty][tx * TN + j] = second[j];
    }
    __syncthreads();
    finish_columns<BN, kDown>(out, parts, n0, n, partial, counters);
  }
}

// out[split][m][n] = sum over the split's rows r of a(r, m) * b(r, n). Grid: m tiles, n tiles, splits. Small tiles are deep, so that every thread has
// something to fetch.
template <int BM, int BN, int TM, int TN, class A, class B>
__global__ void __launch_bounds__(kThreads, 1) outer_product(A a, B b, float* out, int m, int n, int rows, int rows_per_split) {
  constexpr int kAcross = BN / TN, kTileDepth = BM < 64 ? 1024 / BM : kDepth, kEach = kTileDepth * BM / 4 / kThreads;
  static_assert(kAcross * (BM / TM) == kThreads && BM == BN && kEach * kThreads * 4 == kTileDepth * BM);
  alignas(16) __shared__ float as[2][kTileDepth][BM];
  alignas(16) __shared__ float bs[2][kTileDepth][BN];
  const int t = static_cast<int>(threadIdx.x), tx = t % kAcross, ty = t / kAcross;
  const int m0 = static_cast<int>(blockIdx.x) * BM, n0 = static_cast<int>(blockIdx.y) * BN;
  const int begin = static_cast<int>(blockIdx.z) * rows_per_split, end = min(rows, begin + rows_per_split);
  float4 next_a[kEach], next_b[kEach];
  auto fetch = [&](int r0) {
#pragma unroll
    for (int e = 0; e < kEach; ++e) {
      const int i = t + e * kThreads, row = i / (BM / 4), q = i % (BM / 4) * 4;
      next_a[e] = r0 + row < end && m0 + q < m ? a(r0 + row, m0 + q) : zero4();
      next_b[e] = r0 + row < end && n0 + q < n ? b(r0 + row, n0 + q) : zero4();
    }
  };
  float sums[TM][TN] = {};
  fetch(begin);
  for (int r0 = begin, stage = 0; r0 < end; r0 += kTileDepth, stage ^= 1) {
#pragma unroll
    for (int e = 0; e < kEach; ++e) {
      const int i = t + e * kThreads, row = i / (BM / 4), q = i % (BM / 4) * 4;
      store4(&as[stage][row][q], next_a[e]);
      store4(&bs[stage][row][q], next_b[e]);
    }
    __syncthreads();
    if (r0 + kTileDepth < end) fetch(r0 + kTileDepth);
    multiply_tiles(sums, as[stage], bs[stage], ty * TM, tx * TN);
  }

  float* target = out + blockIdx.z * static_cast<size_t>(m) * n;
#pragma unroll
  for (int i = 0; i < TM; ++i)
#pragma unroll
    for (int j = 0; j < TN; ++j) {
      const int row = m0 + ty * TM + i, column = n0 + tx * TN + j;
      if (row < m && column < n) target[static_cast<size_t>(row) * n + column] = sums[i][j];
    }
}

}  // namespace fer::cuda
