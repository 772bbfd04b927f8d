// 3x3/2 max pooling with TensorFlow's 'same' alignment (padding before: none on even sizes, one on odd ones), fused with
// batch norm and the residual addition.
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

__global__ void __launch_bounds__(kThreads)
    pool_add(Shape s, Divisor pooled, int pixels, const float* main_z, const float* main_scale, const float* main_shift, const float* side_z,
             const float* side_scale, const float* side_shift, float* out, uint8_t* argmax) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), pad = s.size % 2;
  if (c >= s.in_channels) return;
  const float4 scale = load4(main_scale + c), shift = load4(main_shift + c);
  const float lowest = -INFINITY;
  for (int pixel = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); pixel < pixels; pixel += static_cast<int>(gridDim.x * blockDim.y)) {
    const auto [n, oy, ox] = position(pixel, pooled);
    float4 best = make_float4(lowest, lowest, lowest, lowest);
    uchar4 taps = make_uchar4(0, 0, 0, 0);
    for (int ky = 0; ky < 3; ++ky) {
      const int y = 2 * oy + ky - pad;
      if (y < 0 || y >= s.size) continue;
      for (int kx = 0; kx < 3; ++kx) {
        const int x = 2 * ox + kx - pad;
        if (x < 0 || x >= s.size) continue;
        const float4 v = multiply_add(load4(main_z + ((static_cast<size_t>(n) * s.size + y) * s.size + x) * s.in_channels + c), scale, shift);
        const auto tap = static_cast<unsigned char>(3 * ky + kx);
        if (v.x > best.x) best.x = v.x, taps.x = tap;
        if (v.y > best.y) best.y = v.y, taps.y = tap;
        if (v.z > best.z) best.z = v.z, taps.z = tap;
        if (v.w > best.w) best.w = v.w, taps.w = tap;
      }
    }
    const size_t at = static_cast<size_t>(pixel) * s.in_channels + c;
    store4(out + at, add(best, multiply_add(load4(side_z + at), load4(side_scale + c), load4(side_shift + c))));
    if (argmax) *reinterpret_cast<uchar4*>(argmax + at) = taps;
  }
}

// What the two batch norms before the addition need: sums of g and of g times each path's normalised value.
__global__ void __launch_bounds__(kThreads)
    pool_add_sums(Shape s, Divisor pooled, int rows, const float* g, const uint8_t* argmax, const float* main_z, BatchNorm main_bn,
                  const float* side_z, BatchNorm side_bn, float* partial, unsigned* counters) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), pad = s.size % 2;
  float4 sums[3] = {zero4(), zero4(), zero4()};
  if (c < s.in_channels) {
    const float4 main_mean = load4(main_bn.mean + c), main_inv = load4(main_bn.inv_std + c), side_mean = load4(side_bn.mean + c),
                 side_inv = load4(side_bn.inv_std + c);
    for (int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); row < rows; row += static_cast<int>(gridDim.x * blockDim.y)) {
      const auto [n, oy, ox] = position(row, pooled);
      const size_t at = static_cast<size_t>(row) * s.in_channels + c;
      const float4 from = load4(g + at), side = load4(side_z + at);
      const uchar4 taps = *reinterpret_cast<const uchar4*>(argmax + at);
      auto winner = [&](int tap, int channel) {
        const int y = 2 * oy + tap / 3 - pad, x = 2 * ox + tap % 3 - pad;
        return main_z[((static_cast<size_t>(n) * s.size + y) * s.size + x) * s.in_channels + channel];
      };
      const float4 main = make_float4(winner(taps.x, c), winner(taps.y, c + 1), winner(taps.z, c + 2), winner(taps.w, c + 3));
      sums[0] = add(sums[0], from);
      sums[1] = multiply_add(from,
                             make_float4((main.x - main_mean.x) * main_inv.x, (main.y - main_mean.y) * main_inv.y,
                                         (main.z - main_mean.z) * main_inv.z, (main.w - main_mean.w) * main_inv.w),
                             sums[1]);
      sums[2] = multiply_add(from,
                             make_float4((side.x - side_mean.x) * side_inv.x, (side.y - side_mean.y) * side_inv.y,
                                         (side.z - side_mean.z) * side_inv.z, (side.w - side_mean.w) * side_inv.w),
                             sums[2]);
    }
  }
  block_columns(sums, partial + static_cast<size_t>(blockIdx.x) * 3 * s.in_channels, s.in_channels, c);
  const int width = 4 * static_cast<int>(blockDim.x), first = static_cast<int>(blockIdx.y) * width, column = first + thread_in_block();
  FloatFloat totals[3];
  if (!grid_totals(totals, partial, counters, s.in_channels, first, width)) return;
  const float sum = totals[0].value();
  finish_gradients(main_bn, column, static_cast<float>(s.n * s.size * s.size), sum, totals[1].value());
  finish_gradients(side_bn, column, static_cast<float>(rows), sum, totals[2].value());
}

}  // namespace

void CudaBackend::run(const PoolAddForward& op) {
  const Shape& s = op.shape;
  const int pooled = (s.size + 1) / 2, pixels = s.n * pooled * pooled;
  const RowGrid g = row_grid(pixels, s.in_channels, 16u * work_->multiprocessors(), 1);
  launch("pooling", pool_add, g.grid, g.block, work_->stream(), s, Divisor(pooled), pixels, op.main_z, op.main_bn->scale, op.main_bn->shift,
         op.shortcut_z, op.shortcut_bn->scale, op.shortcut_bn->shift, op.out, op.argmax);
}

void CudaBackend::run(const PoolAddBackward& op) {
  const Shape& s = op.shape;
  const int pooled = (s.size + 1) / 2, pixels = s.n * pooled * pooled;
  const RowGrid g = row_grid(pixels, s.in_channels, 2u * work_->multiprocessors());
  launch("pooling's batch-norm sums", pool_add_sums, g.grid, g.block, work_->stream(), s, Divisor(pooled), pixels, op.g, op.argmax, op.main_z,
         *op.main_bn, op.shortcut_z, *op.shortcut_bn, work_->floats(Slot::kPartial, partial_rows(g.grid.x) * 3 * s.in_channels),
         work_->counters(g.grid.y * counters_a_tile(g.grid.x)));
}

}  // namespace fer::cuda
