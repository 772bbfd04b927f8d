// Depthwise-separable 3x3 convolutions: the depthwise part here, the pointwise part as a product.
#include "cuda/cuda_backend.h"
#include "cuda/product_launch.cuh"

namespace fer::cuda {
namespace {

constexpr int kStrip = 4;  // pixels of a row a thread makes, so that neighbours share their loads

__global__ void __launch_bounds__(kThreads) depthwise_forward(const float* in, Pending map, int n, int size, int channels, const float* weight, float* d) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), across = (size + kStrip - 1) / kStrip, strips = n * size * across;
  if (c >= channels) return;
  float4 w[9];
  for (int tap = 0; tap < 9; ++tap) w[tap] = load4(weight + tap * channels + c);
  for (int strip = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); strip < strips; strip += static_cast<int>(gridDim.x * blockDim.y)) {
    const int x0 = strip % across * kStrip, y = strip / across % size;
    const size_t image = static_cast<size_t>(strip / (across * size)) * size * size;
    float4 out[kStrip] = {zero4(), zero4(), zero4(), zero4()};
    for (int ky = 0; ky < 3; ++ky) {
      const int row = y + ky - 1;
      if (row < 0 || row >= size) continue;
#pragma unroll
      for (int i = -1; i <= kStrip; ++i) {
        const int x = x0 + i;
        if (x < 0 || x >= size) continue;
        const float4 v = map(load4(in + (image + static_cast<size_t>(row) * size + x) * channels + c), c);
#pragma unroll
        for (int kx = 0; kx < 3; ++kx) {
          const int to = i + 1 - kx;
          if (to >= 0 && to < kStrip) out[to] = multiply_add(v, w[3 * ky + kx], out[to]);
        }
      }
    }
#pragma unroll
    for (int i = 0; i < kStrip; ++i)
      if (x0 + i < size) store4(d + (image + static_cast<size_t>(y) * size + x0 + i) * channels + c, out[i]);
  }
}

struct DepthwiseBackward {
  const float *dd, *in, *weight, *shortcut_dx;  // shortcut_dx [n][(size + 1) / 2]^2[channels] or null
  Pending map;
  int n, size, channels;
  float *d_weight, *dx;
};

// A pixel's gradient and its share of the nine weight gradients need the same nine values of dd, so one pass makes both.
__global__ void __launch_bounds__(kThreads) depthwise_backward(DepthwiseBackward s, BatchNorm bn, float* partial, unsigned* counters) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), rows = s.n * s.size * s.size, half = (s.size + 1) / 2;
  const bool normalised = s.map.scale != nullptr;
  float4 sums[11];  // nine taps, sum of g, sum of g * z_hat
  for (float4& sum : sums) sum = zero4();
  if (c < s.channels) {
    float4 w[9];
    for (int tap = 0; tap < 9; ++tap) w[tap] = load4(s.weight + tap * s.channels + c);
    const float4 mean = normalised ? load4(bn.mean + c) : zero4(), inv_std = normalised ? load4(bn.inv_std + c) : zero4();
    for (int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); row < rows; row += static_cast<int>(gridDim.x * blockDim.y)) {
      const int x = row % s.size, y = row / s.size % s.size, n = row / (s.size * s.size);
      const size_t at = static_cast<size_t>(row) * s.channels + c;
      const float4 raw = load4(s.in + at), input = s.map(raw, c);
      float4 g = zero4();
#pragma unroll
      for (int tap = 0; tap < 9; ++tap) {
        const int oy = y + 1 - tap / 3, ox = x + 1 - tap % 3;  // the output this tap carried the pixel to
        if (oy < 0 || ox < 0 || oy >= s.size || ox >= s.size) continue;
        const float4 dd = load4(s.dd + ((static_cast<size_t>(n) * s.size + oy) * s.size + ox) * s.channels + c);
        g = multiply_add(dd, w[tap], g);
        sums[tap] = multiply_add(dd, input, sums[tap]);
      }
      if (s.shortcut_dx && x % 2 == 0 && y % 2 == 0)
        g = add(g, load4(s.shortcut_dx + ((static_cast<size_t>(n) * half + y / 2) * half + x / 2) * s.channels + c));
      if (normalised) {
        g = make_float4(input.x > 0 ? g.x : 0.f, input.y > 0 ? g.y : 0.f, input.z > 0 ? g.z : 0.f, input.w > 0 ? g.w : 0.f);
        sums[9] = add(sums[9], g);
        const float4 hat = make_float4((raw.x - mean.x) * inv_std.x, (raw.y - mean.y) * inv_std.y, (raw.z - mean.z) * inv_std.z, (raw.w - mean.w) * inv_std.w);
        sums[10] = multiply_add(g, hat, sums[10]);
      }
      store4(s.dx + at, g);
    }
  }
  block_columns(sums, partial + static_cast<size_t>(blockIdx.x) * 11 * s.channels, s.channels, c);
  if (!arrives_last(counters + blockIdx.y, gridDim.x)) return;
  const int width = 4 * static_cast<int>(blockDim.x), t = thread_in_block(), column = static_cast<int>(blockIdx.y) * width + t % width;
  const bool mine = t < width && column < s.channels;
  double totals[11];
  for (int q = 0; q < 11; ++q)
    totals[q] = column_total(column < s.channels ? partial + static_cast<size_t>(q) * s.channels + column : nullptr, 11 * static_cast<size_t>(s.channels),
                             static_cast<int>(gridDim.x), width);
  if (!mine) return;
  for (int tap = 0; tap < 9; ++tap) s.d_weight[tap * s.channels + column] = static_cast<float>(totals[tap]);
  if (normalised) finish_gradients(bn, column, rows, totals[9], totals[10]);
}

__global__ void __launch_bounds__(kThreads) form_gradient(PooledGradient from, int rows, float* dz) {
  const int quads = from.dense.channels / 4;
  const size_t i = static_cast<size_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= static_cast<size_t>(rows) * quads) return;
  const int row = static_cast<int>(i / quads), c = 4 * static_cast<int>(i % quads);
  store4(dz + static_cast<size_t>(row) * from.dense.channels + c, from(row, c));
}

}  // namespace

void CudaBackend::separable_forward(const SeparableShape& s, View in, const float* depthwise, const float* pointwise, float* d, float* z, BatchNorm* bn,
                                    bool training) {
  enter();
  const int rows = s.n * s.size * s.size;
  if (!d) d = work_->floats(Slot::kDepthwise, static_cast<size_t>(rows) * s.in_channels);
  const RowGrid g = row_grid(static_cast<size_t>(s.n) * s.size * blocks_for(s.size, kStrip) * 8, s.in_channels, 16u * work_->multiprocessors());
  launch("depthwise convolution", depthwise_forward, g.grid, g.block, work_->stream(), in.z, pending(in), s.n, s.size, s.in_channels, depthwise, d);
  const Dense rows_of_d{d, s.in_channels, {nullptr, nullptr}};
  const Weights weights{pointwise, s.out_channels};
  const char* op = "pointwise convolution";
  if (training) multiply(*work_, op, rows_of_d, weights, StoreWithStatistics{z, s.out_channels, *bn, static_cast<double>(rows)}, rows, s.out_channels, s.in_channels);
  else multiply(*work_, op, rows_of_d, weights, Store{z, s.out_channels}, rows, s.out_channels, s.in_channels);
}

void CudaBackend::separable_backward(const SeparableShape& s, const Upstream& up, View in, BatchNorm* in_bn, const float* d, const float* depthwise,
                                     const float* pointwise, float* d_depthwise, float* d_pointwise, const float* shortcut_dx, float* dx) {
  enter();
  const char* op = "pointwise convolution's backward pass";
  const int rows = s.n * s.size * s.size;
  const Gradient dense{up.g, up.z, up.bn->a, up.bn->b, up.bn->c, s.out_channels};
  const Dense rows_of_d{d, s.in_channels, {nullptr, nullptr}};
  const TransposedWeights weights{pointwise, s.out_channels};
  float* dd = work_->floats(Slot::kDepthwise, static_cast<size_t>(rows) * s.in_channels);
  auto pointwise_backward = [&](const auto& dz) {
    multiply_outer(*work_, op, rows_of_d, dz, d_pointwise, s.in_channels, s.out_channels, rows);
    multiply(*work_, op, dz, weights, Store{dd, s.in_channels}, rows, s.in_channels, s.out_channels);
  };
  if (up.argmax) {  // collecting from the windows is too much work to repeat in every tile
    float* dz = work_->floats(Slot::kGradient, static_cast<size_t>(rows) * s.out_channels);
    launch("pooling's backward pass", form_gradient, dim3(blocks_for(static_cast<size_t>(rows) * s.out_channels / 4, kThreads)), dim3(kThreads), work_->stream(),
           PooledGradient{dense, up.argmax, s.size}, rows, dz);
    pointwise_backward(Dense{dz, s.out_channels, {nullptr, nullptr}});
  } else {
    pointwise_backward(dense);
  }
  const RowGrid g = row_grid(rows, s.in_channels, 4u * work_->multiprocessors());
  launch("depthwise convolution's backward pass", depthwise_backward, g.grid, g.block, work_->stream(),
         DepthwiseBackward{dd, in.z, depthwise, shortcut_dx, pending(in), s.n, s.size, s.in_channels, d_depthwise, dx}, in_bn ? *in_bn : BatchNorm{},
         work_->floats(Slot::kPartial, size_t{g.grid.x} * 11 * s.in_channels), work_->counters(g.grid.y));
}

}  // namespace fer::cuda
