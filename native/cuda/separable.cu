// Depthwise-separable 3x3 convolutions: the depthwise part here, the pointwise part as a product.
#include "cuda/cuda_backend.h"
#include "cuda/ways.cuh"

namespace fer::cuda {
namespace {

constexpr int kStrip = 4;  // pixels of a row a thread makes, so that neighbours share their loads

__global__ void __launch_bounds__(kThreads) depthwise_forward(const float* in, Pending map, int size, Divisor by_size, Divisor across, int strips,
                                                              int channels, const float* weight, float* d) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x);
  if (c >= channels) return;
  float4 w[9];
  for (int tap = 0; tap < 9; ++tap) w[tap] = load4(weight + tap * channels + c);
  for (int strip = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); strip < strips; strip += static_cast<int>(gridDim.x * blockDim.y)) {
    const auto [line, part] = across(strip);
    const auto [n, y] = by_size(line);
    const int x0 = part * kStrip;
    const size_t image = static_cast<size_t>(n) * size * size;
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

// The depthwise convolution's result as the pointwise product's left operand, made while loading; [n][size][size][channels].
struct DepthwiseResult {
  const float *in, *weight;
  Pending map;
  int size, channels;
  float* d;  // where it is kept; null: nowhere
  Divisor by_size = size;
  __device__ float4 operator()(int row, int c) const {
    const auto [n, y, x] = position(row, by_size);
    float4 sum = zero4();
#pragma unroll
    for (int tap = 0; tap < 9; ++tap) {
      const int iy = y + tap / 3 - 1, ix = x + tap % 3 - 1;
      if (iy < 0 || ix < 0 || iy >= size || ix >= size) continue;
      const float4 v = map(load4(in + ((static_cast<size_t>(n) * size + iy) * size + ix) * channels + c), c);
      sum = multiply_add(v, load4(weight + tap * channels + c), sum);
    }
    if (d && blockIdx.y == 0) store4(d + static_cast<size_t>(row) * channels + c, sum);
    return sum;
  }
};
constexpr int kMostFusedColumns = 128;  // every tile of columns makes the depthwise result anew

struct DepthwiseBackward {
  const float *dd, *in, *weight, *shortcut_dx;  // shortcut_dx [n][(size + 1) / 2]^2[channels] or null
  Pending map;
  int n, size, channels;
  float *d_weight, *dx;
  Divisor by_size = size;
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
      const auto [n, y, x] = position(row, s.by_size);
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
        const float4 hat =
            make_float4((raw.x - mean.x) * inv_std.x, (raw.y - mean.y) * inv_std.y, (raw.z - mean.z) * inv_std.z, (raw.w - mean.w) * inv_std.w);
        sums[10] = multiply_add(g, hat, sums[10]);
      }
      store4(s.dx + at, g);
    }
  }
  block_columns(sums, partial + static_cast<size_t>(blockIdx.x) * 11 * s.channels, s.channels, c);
  const int width = 4 * static_cast<int>(blockDim.x), first = static_cast<int>(blockIdx.y) * width, column = first + thread_in_block();
  FloatFloat totals[11];
  if (!grid_totals(totals, partial, counters, s.channels, first, width)) return;
  for (int tap = 0; tap < 9; ++tap) s.d_weight[tap * s.channels + column] = totals[tap].value();
  if (normalised) finish_gradients(bn, column, static_cast<float>(rows), totals[9].value(), totals[10].value());
}

CudnnShape depthwise_shape(const Shape& s) { return {s.n, s.size, s.in_channels, s.in_channels, 3, 1, 1, s.in_channels}; }
CudnnShape pointwise_shape(const Shape& s) { return {s.n, s.size, s.in_channels, s.out_channels, 1, 0, 1, 1}; }

// From `dz`, the loader, to d_pointwise and dd. `written`: dz in memory, where it already is.
template <class Dz>
void pointwise_backward(Workspace& work, const Shape& s, const Dz& dz, const float* written, const float* d, const float* pointwise,
                        float* d_pointwise, float* dd) {
  const char *of_weight = "pointwise convolution's weight gradient", *of_input = "pointwise convolution's input gradient";
  const int rows = s.n * s.size * s.size;
  auto in_memory = [&](const char* op) { return written ? written : written_out(work, op, Slot::kGradient, dz, rows, s.out_channels); };
  // Nothing but the optimiser waits for the weights' gradient.
  Candidates ways =
      outer_products(work, of_weight, Dense{d, s.in_channels, {nullptr, nullptr}}, dz, d_pointwise, s.in_channels, s.out_channels, rows);
  add_cudnn(ways, work, of_weight, CudnnPass::kWeightGradient, pointwise_shape(s), [&](const auto& convolve) {
    float* turned_gradient = work.floats(Slot::kWeightGradient, static_cast<size_t>(s.in_channels) * s.out_channels);
    convolve(d, in_memory(of_weight), turned_gradient);
    turn(work, of_weight, turned_gradient, s.out_channels, s.in_channels, d_pointwise);
  });
  work.aside([&] { work.choices().run(choice_key(work, of_weight, {s.n, s.size, s.in_channels, s.out_channels, written != nullptr}), ways); });
  ways = products(work, of_input, dz, TransposedWeights{pointwise, s.out_channels}, Store{dd, s.in_channels}, rows, s.in_channels, s.out_channels);
  add_cudnn(ways, work, of_input, CudnnPass::kInputGradient, pointwise_shape(s), [&](const auto& convolve) {
    const float* dense = in_memory(of_input);
    convolve(dense, turned(work, of_input, pointwise, s.in_channels, s.out_channels), dd);
  });
  work.choices().run(choice_key(work, of_input, {s.n, s.size, s.in_channels, s.out_channels, written != nullptr}), ways);
}

}  // namespace

void CudaBackend::run(const SeparableForward& op) {
  const Shape& s = op.shape;
  const int rows = s.n * s.size * s.size, n_in_key = batch_in_key(s.n, op.training);
  const char *of_both = "separable convolution", *of_depthwise = "depthwise convolution", *of_pointwise = "pointwise convolution";
  const Weights pointwise{op.pointwise, s.out_channels};
  const StoreWithStatistics store{op.z, s.out_channels, *op.bn, static_cast<float>(rows), op.training};
  auto apart = [&] {
    float* d = op.d ? op.d : work_->floats(Slot::kDepthwise, static_cast<size_t>(rows) * s.in_channels);
    Candidates ways = {{"own", [&] {
                          const int across = static_cast<int>(blocks_for(s.size, kStrip)), strips = s.n * s.size * across;
                          const RowGrid g = row_grid(strips, s.in_channels, 16u * work_->multiprocessors(), 1);
                          launch(of_depthwise, depthwise_forward, g.grid, g.block, work_->stream(), op.in.z, pending(op.in), s.size, Divisor(s.size),
                                 Divisor(across), strips, s.in_channels, op.depthwise, d);
                        }}};
    add_cudnn(ways, *work_, of_depthwise, CudnnPass::kForward, depthwise_shape(s), [&](const auto& convolve) {
      const float* x = written_out(*work_, of_depthwise, op.in, rows, s.in_channels);
      convolve(x, turned(*work_, of_depthwise, op.depthwise, 9, s.in_channels), d);
    });
    work_->choices().run(choice_key(*work_, of_depthwise, {n_in_key, s.size, s.in_channels, op.in.bn != nullptr}), ways);

    ways = products(*work_, of_pointwise, Dense{d, s.in_channels, {nullptr, nullptr}}, pointwise, store, rows, s.out_channels, s.in_channels);
    add_cudnn(ways, *work_, of_pointwise, CudnnPass::kForward, pointwise_shape(s), [&](const auto& convolve) {
      convolve(d, turned(*work_, of_pointwise, op.pointwise, s.in_channels, s.out_channels), op.z);
      if (op.training) measure_statistics(*work_, of_pointwise, op.z, rows, *op.bn);
    });
    work_->choices().run(choice_key(*work_, of_pointwise, {n_in_key, s.size, s.in_channels, s.out_channels, op.training}), ways,
                         running_statistics(*op.bn, op.training));
  };
  Candidates ways = {{"apart", apart}};
  if (s.out_channels <= kMostFusedColumns)
    for (Candidate& way : products(*work_, of_both, DepthwiseResult{op.in.z, op.depthwise, pending(op.in), s.size, s.in_channels, op.d}, pointwise,
                                   store, rows, s.out_channels, s.in_channels))
      ways.push_back({"fused " + way.name, std::move(way.run)});
  work_->choices().run(choice_key(*work_, of_both, {n_in_key, s.size, s.in_channels, s.out_channels, op.in.bn != nullptr, op.training}), ways,
                       running_statistics(*op.bn, op.training));
}

void CudaBackend::run(const SeparableBackward& op) {
  const Shape& s = op.shape;
  const int rows = s.n * s.size * s.size;
  const Gradient dense = gradient(op.up);
  float* dd = work_->floats(Slot::kDepthwise, static_cast<size_t>(rows) * s.in_channels);
  if (op.up.argmax) {  // collecting from the windows is too much work to repeat in every tile
    const float* dz =
        written_out(*work_, "pooling's backward pass", Slot::kGradient, PooledGradient{dense, op.up.argmax, s.size}, rows, s.out_channels);
    pointwise_backward(*work_, s, Dense{dz, s.out_channels, {nullptr, nullptr}}, dz, op.d, op.pointwise, op.d_pointwise, dd);
  } else {
    pointwise_backward(*work_, s, dense, nullptr, op.d, op.pointwise, op.d_pointwise, dd);
  }

  const char* label = "depthwise convolution's gradients";
  Candidates ways = {
      {"own", [&] {
         const RowGrid g = row_grid(rows, s.in_channels, 2u * work_->multiprocessors());
         launch(label, depthwise_backward, g.grid, g.block, work_->stream(),
                DepthwiseBackward{dd, op.in.z, op.depthwise, op.shortcut_dx, pending(op.in), s.n, s.size, s.in_channels, op.d_depthwise, op.dx},
                op.in.bn ? *op.in.bn : BatchNorm{}, work_->floats(Slot::kPartial, partial_rows(g.grid.x) * 11 * s.in_channels),
                work_->counters(g.grid.y * counters_a_tile(g.grid.x)));
       }}};
  for (const CudnnPlan& weights_plan : cudnn_plans(*work_, CudnnPass::kWeightGradient, depthwise_shape(s))) {
    Candidates both;
    add_cudnn(both, *work_, label, CudnnPass::kInputGradient, depthwise_shape(s), [&, weights_plan](const auto& convolve) {
      const float* x = written_out(*work_, label, op.in, rows, s.in_channels);
      float* turned_gradient = work_->floats(Slot::kWeightGradient, static_cast<size_t>(9) * s.in_channels);
      run_cudnn(*work_, label, CudnnPass::kWeightGradient, depthwise_shape(s), weights_plan, x, dd, turned_gradient);
      turn(*work_, label, turned_gradient, s.in_channels, 9, op.d_depthwise);
      convolve(dd, turned(*work_, label, op.depthwise, 9, s.in_channels), op.dx);
      finish_input_gradient(*work_, label, s.n, s.size, s.in_channels, {op.in.z, op.in.bn}, op.shortcut_dx, op.dx);
    });
    for (Candidate& way : both) ways.push_back({way.name + " and " + std::to_string(weights_plan.algorithm), std::move(way.run), true});
  }
  work_->choices().run(choice_key(*work_, label, {s.n, s.size, s.in_channels, op.in.bn != nullptr, op.shortcut_dx != nullptr}), ways);
  work_->meet();  // before anyone reuses what the weights' gradient reads
}

}  // namespace fer::cuda
