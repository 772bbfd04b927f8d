// The two products of products.cuh on tensor cores. A tile's values are fetched into registers (pending maps applied), rounded
// on the way to shared memory, and while one tile is multiplied the next is already being fetched.
#pragma once
#include "cuda/products.cuh"
#include "cuda/tensor_cores.cuh"

namespace fer::cuda {

constexpr int kWords = 16;  // of a tile along k

// ROWS x kWords words of one operand in shared memory. Along: loaded by fours along k, [row][word]; else by fours of rows at one
// k, [word][row]. Either padding spreads a fragment's 32 lanes over 32 banks: 20 g + t and 8 t + g are all different mod 32.
template <class Number, int ROWS, bool kAlong>
struct Tile {
  static constexpr int kStride = kAlong ? kWords + 4 : ROWS + 8, kUnits = ROWS * kWords / 4, kEach = (kUnits + kThreads - 1) / kThreads;
  using Fetched = float4[kEach][Number::kPerWord];
  alignas(16) uint32_t words[kAlong ? ROWS * kStride : kWords * kStride];

  __device__ uint32_t word(int row, int w) const { return words[kAlong ? row * kStride + w : w * kStride + row]; }

  // `at(row, k)`: four values along k, or those of four rows.
  template <class At>
  __device__ static void fetch(Fetched& to, const At& at, int t) {
#pragma unroll
    for (int e = 0; e < kEach; ++e) {
      const int i = t + e * kThreads;
      if (kUnits % kThreads != 0 && i >= kUnits) continue;
#pragma unroll
      for (int p = 0; p < Number::kPerWord; ++p)
        to[e][p] = kAlong ? at(i / (kWords / 4), i % (kWords / 4) * 4 * Number::kPerWord + 4 * p)
                          : at(i % (ROWS / 4) * 4, i / (ROWS / 4) * Number::kPerWord + p);
    }
  }
  __device__ void store(const Fetched& from, int t) {
#pragma unroll
    for (int e = 0; e < kEach; ++e) {
      const int i = t + e * kThreads;
      if (kUnits % kThreads != 0 && i >= kUnits) continue;
      uint32_t* to = words + (kAlong ? i / (kWords / 4) * kStride + i % (kWords / 4) * 4 : i / (ROWS / 4) * kStride + i % (ROWS / 4) * 4);
      *reinterpret_cast<uint4*>(to) = kAlong ? Number::along(from[e]) : Number::across(from[e]);
    }
  }
};

// The warps of a block as a DOWN x ACROSS grid over its tile, and this thread's accumulators.
template <class Number, int BM, int BN, int DOWN, int ACROSS>
struct WarpTile {
  static constexpr int kDown = BM / DOWN / 16, kAcross = BN / ACROSS / 8;
  static_assert(DOWN * ACROSS * 32 == kThreads && kDown * DOWN * 16 == BM && kAcross * ACROSS * 8 == BN);
  float sums[kDown][kAcross][4] = {};
  int g, t, row0, column0;  // row0, column0: of the warp in the block's tile

  __device__ explicit WarpTile(int thread) {
    const int lane = thread % 32, warp = thread / 32;
    g = lane / 4;
    t = lane % 4;
    row0 = warp / ACROSS * kDown * 16;
    column0 = warp % ACROSS * kAcross * 8;
  }

  template <class TileA, class TileB>
  __device__ void multiply(const TileA& a, const TileB& b) {
#pragma unroll
    for (int w = 0; w < kWords; w += 8) {
      uint32_t left[kDown][4];
#pragma unroll
      for (int i = 0; i < kDown; ++i)
#pragma unroll
        for (int q = 0; q < 4; ++q) left[i][q] = a.word(row0 + i * 16 + g + q % 2 * 8, w + t + q / 2 * 4);
#pragma unroll
      for (int j = 0; j < kAcross; ++j) {
        const uint32_t right[2] = {b.word(column0 + j * 8 + g, w + t), b.word(column0 + j * 8 + g, w + t + 4)};
#pragma unroll
        for (int i = 0; i < kDown; ++i) Number::multiply(sums[i][j], left[i], right);
      }
    }
  }

  // visit(row, column, values of `column` and the one after it, j): positions within the block's tile.
  template <class Visit>
  __device__ void each(const Visit& visit) const {
#pragma unroll
    for (int j = 0; j < kAcross; ++j)
#pragma unroll
      for (int i = 0; i < kDown; ++i)
#pragma unroll
        for (int half = 0; half < 2; ++half)
          visit(row0 + i * 16 + g + 8 * half, column0 + j * 8 + 2 * t, make_float2(sums[i][j][2 * half], sums[i][j][2 * half + 1]), j);
  }
};

// As `product`. K is a multiple of 4, N of 8.
template <class Number, int BM, int BN, int DOWN, int ACROSS, class A, class B, class Out>
__global__ void __launch_bounds__(kThreads, 2) tensor_product(A a, B b, Out out, int m, int n, int k, float* partial, unsigned* counters) {
  if constexpr (kTensorCores) {
    using TileA = Tile<Number, BM, true>;
    using TileB = Tile<Number, BN, B::kTransposed>;
    constexpr int kStep = kWords * Number::kPerWord;
    __shared__ TileA as[2];
    __shared__ TileB bs[2];
    const int t = static_cast<int>(threadIdx.x), m0 = static_cast<int>(blockIdx.x) * BM, n0 = static_cast<int>(blockIdx.y) * BN;
    typename TileA::Fetched next_a;
    typename TileB::Fetched next_b;
    auto fetch = [&](int k0) {
      TileA::fetch(next_a, [&](int row, int at) { return m0 + row < m && k0 + at < k ? a(m0 + row, k0 + at) : zero4(); }, t);
      TileB::fetch(next_b, [&](int column, int at) { return n0 + column < n && k0 + at < k ? b.quad(k0 + at, n0 + column) : zero4(); }, t);
    };
    WarpTile<Number, BM, BN, DOWN, ACROSS> tile(t);
    fetch(0);
    for (int k0 = 0, stage = 0; k0 < k; k0 += kStep, stage ^= 1) {
      as[stage].store(next_a, t);
      bs[stage].store(next_b, t);
      __syncthreads();  // one is enough: a stage is written again only after the barrier that follows its last reading
      if (k0 + kStep < k) fetch(k0 + kStep);
      tile.multiply(as[stage], bs[stage]);
    }

    constexpr int kColumns = WarpTile<Number, BM, BN, DOWN, ACROSS>::kAcross;
    float sums[kColumns][4] = {};  // of two columns each: first, first, second, second
    tile.each([&](int row, int column, float2 v, int j) {
      if (m0 + row >= m || n0 + column >= n) return;
      const float4 s = out.pair(m0 + row, n0 + column, v);
      sums[j][0] += s.x;
      sums[j][1] += s.y;
      sums[j][2] += s.z;
      sums[j][3] += s.w;
    });
    if constexpr (Out::kSums) {
      if (!out.sums()) return;
      __shared__ float parts[2][DOWN][BN];
#pragma unroll
      for (int j = 0; j < kColumns; ++j)
#pragma unroll
        for (int q = 0; q < 4; ++q) {
          float sum = sums[j][q];
          for (int lanes = 4; lanes < 32; lanes *= 2) sum += __shfl_xor_sync(0xffffffffu, sum, lanes);
          if (tile.g == 0) parts[q / 2][t / 32 / ACROSS][tile.column0 + j * 8 + 2 * tile.t + q % 2] = sum;
        }
      __syncthreads();
      finish_columns<BN, DOWN>(out, parts, n0, n, partial, counters);
    }
  }
}

// As `outer_product`. M and N are multiples of 8.
template <class Number, int BM, int BN, int DOWN, int ACROSS, class A, class B>
__global__ void __launch_bounds__(kThreads, 1) tensor_outer_product(A a, B b, float* out, int m, int n, int rows, int rows_per_split) {
  if constexpr (kTensorCores) {
    using TileA = Tile<Number, BM, false>;
    using TileB = Tile<Number, BN, false>;
    constexpr int kStep = kWords * Number::kPerWord;
    __shared__ TileA as[2];
    __shared__ TileB bs[2];
    const int t = static_cast<int>(threadIdx.x), m0 = static_cast<int>(blockIdx.x) * BM, n0 = static_cast<int>(blockIdx.y) * BN;
    const int begin = static_cast<int>(blockIdx.z) * rows_per_split, end = min(rows, begin + rows_per_split);
    typename TileA::Fetched next_a;
    typename TileB::Fetched next_b;
    auto fetch = [&](int r0) {
      TileA::fetch(next_a, [&](int column, int at) { return m0 + column < m && r0 + at < end ? a(r0 + at, m0 + column) : zero4(); }, t);
      TileB::fetch(next_b, [&](int column, int at) { return n0 + column < n && r0 + at < end ? b(r0 + at, n0 + column) : zero4(); }, t);
    };
    WarpTile<Number, BM, BN, DOWN, ACROSS> tile(t);
    fetch(begin);
    for (int r0 = begin, stage = 0; r0 < end; r0 += kStep, stage ^= 1) {
      as[stage].store(next_a, t);
      bs[stage].store(next_b, t);
      __syncthreads();
      if (r0 + kStep < end) fetch(r0 + kStep);
      tile.multiply(as[stage], bs[stage]);
    }
    float* target = out + blockIdx.z * static_cast<size_t>(m) * n;
    tile.each([&](int row, int column, float2 v, int) {
      if (m0 + row < m && n0 + column < n) *reinterpret_cast<float2*>(target + static_cast<size_t>(m0 + row) * n + n0 + column) = v;
    });
  }
}

}  // namespace fer::cuda
