// The stem's unpadded 3x3 convolutions.
#include "cuda/cuda_backend.h"
#include "cuda/ways.cuh"

namespace fer::cuda {
namespace {

// The first layer has one input channel: too thin for a product. Thread: one pixel at a time, four output channels.
struct FirstLayer {
  const float* x;  // [n][size][size]
  int n, size, channels;
  Divisor out = size - 2;
};

__device__ inline const float* window(const FirstLayer& s, int row) {
  const auto [n, y, x] = position(row, s.out);
  return s.x + (static_cast<size_t>(n) * s.size + y) * s.size + x;
}

__global__ void __launch_bounds__(kThreads)
    first_layer_forward(FirstLayer s, const float* weight, float* z, BatchNorm bn, bool training, float* partial, unsigned* counters) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), rows = s.n * (s.size - 2) * (s.size - 2);
  float4 sums[2] = {zero4(), zero4()};
  if (c < s.channels) {
    float4 w[9];
    for (int tap = 0; tap < 9; ++tap) w[tap] = load4(weight + tap * s.channels + c);
    for (int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); row < rows; row += static_cast<int>(gridDim.x * blockDim.y)) {
      const float* x = window(s, row);
      float4 sum = zero4();
      for (int tap = 0; tap < 9; ++tap) {
        const float v = x[tap / 3 * s.size + tap % 3];
        sum = multiply_add(make_float4(v, v, v, v), w[tap], sum);
      }
      store4(z + static_cast<size_t>(row) * s.channels + c, sum);
      sums[0] = add(sums[0], sum);
      sums[1] = multiply_add(sum, sum, sums[1]);
    }
  }
  if (!training) return;
  block_columns(sums, partial + static_cast<size_t>(blockIdx.x) * 2 * s.channels, s.channels, c);
  const int width = 4 * static_cast<int>(blockDim.x), first = static_cast<int>(blockIdx.y) * width;
  FloatFloat totals[2];
  if (grid_totals(totals, partial, counters, s.channels, first, width))
    finish_statistics(bn, first + thread_in_block(), static_cast<float>(rows), totals[0], totals[1]);
}

__global__ void __launch_bounds__(kThreads)
    first_layer_weight_gradient(FirstLayer s, Gradient dz, float* d_weight, float* partial, unsigned* counters) {
  const int c = 4 * static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x), rows = s.n * (s.size - 2) * (s.size - 2);
  float4 sums[9];
  for (float4& sum : sums) sum = zero4();
  if (c < s.channels)
    for (int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y); row < rows; row += static_cast<int>(gridDim.x * blockDim.y)) {
      const float* x = window(s, row);
      const float4 g = dz(row, c);
      for (int tap = 0; tap < 9; ++tap) {
        const float v = x[tap / 3 * s.size + tap % 3];
        sums[tap] = multiply_add(make_float4(v, v, v, v), g, sums[tap]);
      }
    }
  block_columns(sums, partial + static_cast<size_t>(blockIdx.x) * 9 * s.channels, s.channels, c);
  const int width = 4 * static_cast<int>(blockDim.x), first = static_cast<int>(blockIdx.y) * width;
  FloatFloat totals[9];
  if (!grid_totals(totals, partial, counters, s.channels, first, width)) return;
  for (int tap = 0; tap < 9; ++tap) d_weight[tap * s.channels + first + thread_in_block()] = totals[tap].value();
}

}  // namespace

void CudaBackend::run(const ConvolutionForward& op) {
  const Shape& s = op.shape;
  const char* label = "convolution";
  const int out_size = s.size - 2, rows = s.n * out_size * out_size;
  if (s.in_channels % 4 != 0) {
    if (s.in_channels != 1 || op.in.bn)
      throw Error("ERR_FER_ARGUMENT", "expected one input channel or a multiple of 4, got " + std::to_string(s.in_channels));
    const RowGrid g = row_grid(rows, s.out_channels, 2u * work_->multiprocessors());
    launch(label, first_layer_forward, g.grid, g.block, work_->stream(), FirstLayer{op.in.z, s.n, s.size, s.out_channels}, op.weight, op.z, *op.bn,
           op.training, work_->floats(Slot::kPartial, partial_rows(g.grid.x) * 2 * s.out_channels),
           work_->counters(g.grid.y * counters_a_tile(g.grid.x)));
    return;
  }
  const int k = 9 * s.in_channels;
  Candidates ways = products(*work_, label, Window{op.in.z, s.size, s.in_channels, pending(op.in)}, Weights{op.weight, s.out_channels},
                             StoreWithStatistics{op.z, s.out_channels, *op.bn, static_cast<float>(rows), op.training}, rows, s.out_channels, k);
  add_cudnn(ways, *work_, label, CudnnPass::kForward, {s.n, s.size, s.in_channels, s.out_channels, 3, 0, 1, 1}, [&](const auto& convolve) {
    const float* x = written_out(*work_, label, op.in, static_cast<size_t>(s.n) * s.size * s.size, s.in_channels);
    convolve(x, turned(*work_, label, op.weight, k, s.out_channels), op.z);
    if (op.training) measure_statistics(*work_, label, op.z, rows, *op.bn);
  });
  work_->choices().run(choice_key(*work_, label, {batch_in_key(s.n, op.training), s.size, s.in_channels, s.out_channels, op.training}), ways,
                       running_statistics(*op.bn, op.training));
}

void CudaBackend::run(const ConvolutionBackward& op) {
  const Shape& s = op.shape;
  const char* label = "convolution's backward pass";
  const int out_size = s.size - 2, rows = s.n * out_size * out_size, in_rows = s.n * s.size * s.size;
  const Gradient dz = gradient(op.up);
  if (s.in_channels == 1) {
    const RowGrid g = row_grid(rows, s.out_channels, 2u * work_->multiprocessors());
    launch(label, first_layer_weight_gradient, g.grid, g.block, work_->stream(), FirstLayer{op.in.z, s.n, s.size, s.out_channels}, dz, op.d_weight,
           work_->floats(Slot::kPartial, partial_rows(g.grid.x) * 9 * s.out_channels), work_->counters(g.grid.y * counters_a_tile(g.grid.x)));
    if (op.dx) throw Error("ERR_FER_ARGUMENT", "the first layer's input has no gradient");
    return;
  }
  const CudnnShape shape{s.n, s.size, s.in_channels, s.out_channels, 3, 0, 1, 1};
  const char *of_weight = "convolution's weight gradient", *of_input = "convolution's input gradient";
  Candidates ways = outer_products(*work_, of_weight, Window{op.in.z, s.size, s.in_channels, pending(op.in)}, dz, op.d_weight, 9 * s.in_channels,
                                   s.out_channels, rows);
  add_cudnn(ways, *work_, of_weight, CudnnPass::kWeightGradient, shape, [&](const auto& convolve) {
    const float* x = written_out(*work_, of_weight, op.in, in_rows, s.in_channels);
    float* turned_gradient = work_->floats(Slot::kWeightGradient, static_cast<size_t>(9) * s.in_channels * s.out_channels);
    convolve(x, written_out(*work_, of_weight, Slot::kGradient, dz, rows, s.out_channels), turned_gradient);
    turn(*work_, of_weight, turned_gradient, s.out_channels, 9 * s.in_channels, op.d_weight);
  });
  work_->aside([&] { work_->choices().run(choice_key(*work_, of_weight, {s.n, s.size, s.in_channels, s.out_channels}), ways); });
  if (!op.dx) return work_->meet();
  ways = products(*work_, of_input, FullWindow<Gradient>{dz, s.size}, TransposedTaps{op.weight, s.in_channels, s.out_channels},
                  StoreMasked{op.dx, op.in.z, s.in_channels, op.in.bn ? *op.in.bn : BatchNorm{}, static_cast<float>(in_rows), op.in.bn != nullptr},
                  in_rows, s.in_channels, 9 * s.out_channels);
  add_cudnn(ways, *work_, of_input, CudnnPass::kInputGradient, shape, [&](const auto& convolve) {
    const float* dense = written_out(*work_, of_input, Slot::kGradient, dz, rows, s.out_channels);
    convolve(dense, turned(*work_, of_input, op.weight, 9 * s.in_channels, s.out_channels), op.dx);
    finish_input_gradient(*work_, of_input, s.n, s.size, s.in_channels, {op.in.z, op.in.bn}, nullptr, op.dx);
  });
  work_->choices().run(choice_key(*work_, of_input, {s.n, s.size, s.in_channels, s.out_channels}), ways);
  work_->meet();
}

}  // namespace fer::cuda
