#include "cuda/passes.cuh"
#include "cuda/product_launch.cuh"

namespace fer::cuda {
namespace {

__global__ void __launch_bounds__(kThreads) turn_weights(const float* in, Divisor rows, int columns, int count, float* out) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);  // of the result, so that writes are coalesced
  if (i >= count) return;
  const auto [column, row] = rows(i);
  out[i] = in[static_cast<size_t>(row) * columns + column];
}

// Block: 32 values, eight threads each.
__global__ void __launch_bounds__(kThreads) add_splits(const float* parts, int splits, size_t count, float* out) {
  __shared__ float sums[8][32];
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y), each = (splits + 7) / 8;
  const size_t i = static_cast<size_t>(blockIdx.x) * 32 + x;
  float sum = 0;
  if (i < count) {
#pragma unroll 8
    for (int split = y * each; split < min(splits, (y + 1) * each); ++split) sum += parts[split * count + i];
  }
  sums[y][x] = sum;
  __syncthreads();
  if (y != 0 || i >= count) return;
  for (int other = 1; other < 8; ++other) sum += sums[other][x];
  out[i] = sum;
}

// Two sums of a row walk, handed to `finish` by column.
template <class Finish>
__device__ void finish_two_sums(const float4 (&sums)[2], int channels, int c, float* partial, unsigned* counters, const Finish& finish) {
  block_columns(sums, partial + static_cast<size_t>(blockIdx.x) * 2 * channels, channels, c);
  const int width = 4 * static_cast<int>(blockDim.x), first = static_cast<int>(blockIdx.y) * width;
  FloatFloat totals[2];
  if (grid_totals(totals, partial, counters, channels, first, width)) finish(first + thread_in_block(), totals[0], totals[1]);
}

__global__ void __launch_bounds__(kThreads) sum_and_square(const float* z, int rows, BatchNorm bn, float* partial, unsigned* counters) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  float4 sums[2] = {zero4(), zero4()};
  if (c < bn.channels)
    for (int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); row < rows; row += static_cast<int>(gridDim.x * blockDim.y)) {
      const float4 v = load4(z + static_cast<size_t>(row) * bn.channels + c);
      sums[0] = add(sums[0], v);
      sums[1] = multiply_add(v, v, sums[1]);
    }
  finish_two_sums(sums, bn.channels, c, partial, counters, [&](int column, const FloatFloat& sum, const FloatFloat& square) {
    finish_statistics(bn, column, static_cast<float>(rows), sum, square);
  });
}

__global__ void __launch_bounds__(kThreads) mask_and_sum(int rows, int size, Divisor by_size, int channels, const float* z, bool normalised,
                                                         BatchNorm bn, const float* shortcut_dx, float* dx, float* partial, unsigned* counters) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), half = (size + 1) / 2;
  float4 sums[2] = {zero4(), zero4()};
  if (c < channels) {
    const Pending map = normalised ? Pending{bn.scale, bn.shift} : Pending{nullptr, nullptr};
    const float4 mean = normalised ? load4(bn.mean + c) : zero4(), inv_std = normalised ? load4(bn.inv_std + c) : zero4();
    for (int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); row < rows; row += static_cast<int>(gridDim.x * blockDim.y)) {
      const auto [n, y, x] = position(row, by_size);
      float* at = dx + static_cast<size_t>(row) * channels + c;
      float4 g = load4(at);
      if (shortcut_dx && x % 2 == 0 && y % 2 == 0)
        g = add(g, load4(shortcut_dx + ((static_cast<size_t>(n) * half + y / 2) * half + x / 2) * channels + c));
      if (normalised) {
        const float4 raw = load4(z + static_cast<size_t>(row) * channels + c), input = map(raw, c);
        g = make_float4(input.x > 0 ? g.x : 0.f, input.y > 0 ? g.y : 0.f, input.z > 0 ? g.z : 0.f, input.w > 0 ? g.w : 0.f);
        sums[0] = add(sums[0], g);
        sums[1] = multiply_add(
            g, make_float4((raw.x - mean.x) * inv_std.x, (raw.y - mean.y) * inv_std.y, (raw.z - mean.z) * inv_std.z, (raw.w - mean.w) * inv_std.w),
            sums[1]);
      }
      store4(at, g);
    }
  }
  if (!normalised) return;
  finish_two_sums(sums, channels, c, partial, counters, [&](int column, const FloatFloat& sum, const FloatFloat& sum_hat) {
    finish_gradients(bn, column, static_cast<float>(rows), sum.value(), sum_hat.value());
  });
}

}  // namespace

void add_up_splits(Workspace& work, const char* op, const float* parts, int splits, size_t count, float* out) {
  launch(op, add_splits, dim3(blocks_for(count, 32)), dim3(32, 8), work.stream(), parts, splits, count, out);
}

void turn(Workspace& work, const char* op, const float* in, int rows, int columns, float* out) {
  launch(op, turn_weights, dim3(blocks_for(static_cast<size_t>(rows) * columns, kThreads)), dim3(kThreads), work.stream(), in, Divisor(rows), columns,
         rows * columns, out);
}

void measure_statistics(Workspace& work, const char* op, const float* z, int rows, const BatchNorm& bn) {
  const RowGrid g = row_grid(rows, bn.channels, 2u * work.multiprocessors());
  launch(op, sum_and_square, g.grid, g.block, work.stream(), z, rows, bn, work.floats(Slot::kPartial, partial_rows(g.grid.x) * 2 * bn.channels),
         work.counters(g.grid.y * counters_a_tile(g.grid.x)));
}

void finish_input_gradient(Workspace& work, const char* op, int n, int size, int channels, const View& in, const float* shortcut_dx, float* dx) {
  if (!in.bn && !shortcut_dx) return;
  const int rows = n * size * size;
  const RowGrid g = row_grid(rows, channels, 2u * work.multiprocessors());
  launch(op, mask_and_sum, g.grid, g.block, work.stream(), rows, size, Divisor(size), channels, in.z, in.bn != nullptr, in.bn ? *in.bn : BatchNorm{},
         shortcut_dx, dx, work.floats(Slot::kPartial, partial_rows(g.grid.x) * 2 * channels), work.counters(g.grid.y * counters_a_tile(g.grid.x)));
}

}  // namespace fer::cuda
