// The stem's unpadded 3x3 convolutions and the modules' 1x1 stride-2 shortcuts.
#include "cuda/cuda_backend.h"
#include "cuda/ways.cuh"

namespace fer::cuda {
namespace {

// The first layer has one input channel: too thin for a product. Thread: one pixel at a time, four output channels.
struct FirstLayer {
  const float* x;  // [n][size][size]
  int n, size, channels;
};

__device__ inline const float* window(const FirstLayer& s, int row) {
  const int out = s.size - 2, x = row % out, y = row / out % out, n = row / (out * out);
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
  double totals[2];
  if (grid_totals(totals, partial, counters, s.channels, first, width)) finish_statistics(bn, first + thread_in_block(), rows, totals[0], totals[1]);
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
  double totals[9];
  if (!grid_totals(totals, partial, counters, s.channels, first, width)) return;
  for (int tap = 0; tap < 9; ++tap) d_weight[tap * s.channels + first + thread_in_block()] = static_cast<float>(totals[tap]);
}

Gradient gradient(const Upstream& up) { return {up.g, up.z, up.bn->a, up.bn->b, up.bn->c, up.bn->channels}; }

}  // namespace

void CudaBackend::convolution_forward(const ConvolutionShape& s, View in, const float* weight, float* z, BatchNorm* bn, bool training) {
  enter();
  const char* op = "convolution";
  const int out_size = s.in_size - 2, rows = s.n * out_size * out_size;
  if (s.in_channels % 4 != 0) {
    if (s.in_channels != 1 || in.bn)
      throw Error("ERR_FER_ARGUMENT", "expected one input channel or a multiple of 4, got " + std::to_string(s.in_channels));
    const RowGrid g = row_grid(rows, s.out_channels, 2u * work_->multiprocessors());
    launch(op, first_layer_forward, g.grid, g.block, work_->stream(), FirstLayer{in.z, s.n, s.in_size, s.out_channels}, weight, z, *bn, training,
           work_->floats(Slot::kPartial, partial_rows(g.grid.x) * 2 * s.out_channels), work_->counters(g.grid.y * counters_a_tile(g.grid.x)));
    return;
  }
  const int k = 9 * s.in_channels;
  Candidates ways = products(*work_, op, Window{in.z, s.in_size, s.in_channels, pending(in)}, Weights{weight, s.out_channels},
                             StoreWithStatistics{z, s.out_channels, *bn, static_cast<double>(rows), training}, rows, s.out_channels, k);
  add_cudnn(ways, *work_, op, CudnnPass::kForward, {s.n, s.in_size, s.in_channels, s.out_channels, 3, 0, 1, 1}, [&](const auto& convolve) {
    const float* x = written_out(*work_, op, in, static_cast<size_t>(s.n) * s.in_size * s.in_size, s.in_channels);
    convolve(x, turned(*work_, op, weight, k, s.out_channels), z);
    if (training) measure_statistics(*work_, op, z, rows, *bn);
  });
  work_->choices().run(choice_key(*work_, op, {batch_in_key(s.n, training), s.in_size, s.in_channels, s.out_channels, training}), ways,
                       running_statistics(*bn, training));
}

void CudaBackend::convolution_backward(const ConvolutionShape& s, const Upstream& up, View in, BatchNorm* in_bn, const float* weight, float* d_weight,
                                       float* dx) {
  enter();
  const char* op = "convolution's backward pass";
  const int out_size = s.in_size - 2, rows = s.n * out_size * out_size, in_rows = s.n * s.in_size * s.in_size;
  const Gradient dz = gradient(up);
  if (s.in_channels == 1) {
    const RowGrid g = row_grid(rows, s.out_channels, 2u * work_->multiprocessors());
    launch(op, first_layer_weight_gradient, g.grid, g.block, work_->stream(), FirstLayer{in.z, s.n, s.in_size, s.out_channels}, dz, d_weight,
           work_->floats(Slot::kPartial, partial_rows(g.grid.x) * 9 * s.out_channels), work_->counters(g.grid.y * counters_a_tile(g.grid.x)));
    if (dx) throw Error("ERR_FER_ARGUMENT", "the first layer's input has no gradient");
    return;
  }
  const CudnnShape shape{s.n, s.in_size, s.in_channels, s.out_channels, 3, 0, 1, 1};
  const char *of_weight = "convolution's weight gradient", *of_input = "convolution's input gradient";
  Candidates ways =
      outer_products(*work_, of_weight, Window{in.z, s.in_size, s.in_channels, pending(in)}, dz, d_weight, 9 * s.in_channels, s.out_channels, rows);
  add_cudnn(ways, *work_, of_weight, CudnnPass::kWeightGradient, shape, [&](const auto& convolve) {
    const float* x = written_out(*work_, of_weight, in, in_rows, s.in_channels);
    float* turned_gradient = work_->floats(Slot::kWeightGradient, static_cast<size_t>(9) * s.in_channels * s.out_channels);
    convolve(x, written_out(*work_, of_weight, Slot::kGradient, dz, rows, s.out_channels), turned_gradient);
    turn(*work_, of_weight, turned_gradient, s.out_channels, 9 * s.in_channels, d_weight);
  });
  work_->aside([&] { work_->choices().run(choice_key(*work_, of_weight, {s.n, s.in_size, s.in_channels, s.out_channels}), ways); });
  if (!dx) return work_->meet();
  ways = products(*work_, of_input, FullWindow<Gradient>{dz, s.in_size}, TransposedTaps{weight, s.in_channels, s.out_channels},
                  StoreMasked{dx, in.z, s.in_channels, in_bn ? *in_bn : BatchNorm{}, static_cast<double>(in_rows), in_bn != nullptr}, in_rows,
                  s.in_channels, 9 * s.out_channels);
  add_cudnn(ways, *work_, of_input, CudnnPass::kInputGradient, shape, [&](const auto& convolve) {
    const float* dense = written_out(*work_, of_input, Slot::kGradient, dz, rows, s.out_channels);
    convolve(dense, turned(*work_, of_input, weight, 9 * s.in_channels, s.out_channels), dx);
    finish_input_gradient(*work_, of_input, s.n, s.in_size, s.in_channels, {in.z, in_bn}, nullptr, dx);
  });
  work_->choices().run(choice_key(*work_, of_input, {s.n, s.in_size, s.in_channels, s.out_channels}), ways);
  work_->meet();
}

void CudaBackend::shortcut_forward(const ShortcutShape& s, View in, const float* weight, float* z, BatchNorm* bn, bool training) {
  enter();
  const char* op = "shortcut convolution";
  const int half = (s.in_size + 1) / 2, rows = s.n * half * half;
  Candidates ways = products(*work_, op, Even{in.z, s.in_size, s.in_channels, pending(in)}, Weights{weight, s.out_channels},
                             StoreWithStatistics{z, s.out_channels, *bn, static_cast<double>(rows), training}, rows, s.out_channels, s.in_channels);
  add_cudnn(ways, *work_, op, CudnnPass::kForward, {s.n, s.in_size, s.in_channels, s.out_channels, 1, 0, 2, 1}, [&](const auto& convolve) {
    const float* x = written_out(*work_, op, in, static_cast<size_t>(s.n) * s.in_size * s.in_size, s.in_channels);
    convolve(x, turned(*work_, op, weight, s.in_channels, s.out_channels), z);
    if (training) measure_statistics(*work_, op, z, rows, *bn);
  });
  work_->choices().run(choice_key(*work_, op, {batch_in_key(s.n, training), s.in_size, s.in_channels, s.out_channels, training}), ways,
                       running_statistics(*bn, training));
}

void CudaBackend::shortcut_backward(const ShortcutShape& s, const Upstream& up, View in, const float* weight, float* d_weight, float* dx) {
  enter();
  const char *of_weight = "shortcut's weight gradient", *of_input = "shortcut's input gradient";
  const int half = (s.in_size + 1) / 2, rows = s.n * half * half;
  const Gradient dz = gradient(up);
  Candidates ways =
      outer_products(*work_, of_weight, Even{in.z, s.in_size, s.in_channels, pending(in)}, dz, d_weight, s.in_channels, s.out_channels, rows);
  add_cudnn(ways, *work_, of_weight, CudnnPass::kWeightGradient, {s.n, s.in_size, s.in_channels, s.out_channels, 1, 0, 2, 1},
            [&](const auto& convolve) {
              const float* x = written_out(*work_, of_weight, in, static_cast<size_t>(s.n) * s.in_size * s.in_size, s.in_channels);
              float* turned_gradient = work_->floats(Slot::kWeightGradient, static_cast<size_t>(s.in_channels) * s.out_channels);
              convolve(x, written_out(*work_, of_weight, Slot::kGradient, dz, rows, s.out_channels), turned_gradient);
              turn(*work_, of_weight, turned_gradient, s.out_channels, s.in_channels, d_weight);
            });
  work_->aside([&] { work_->choices().run(choice_key(*work_, of_weight, {s.n, s.in_size, s.in_channels, s.out_channels}), ways); });
  ways = products(*work_, of_input, dz, TransposedWeights{weight, s.out_channels}, Store{dx, s.in_channels}, rows, s.in_channels, s.out_channels);
  // Only the even pixels are asked for: a convolution of stride 1 over those.
  add_cudnn(ways, *work_, of_input, CudnnPass::kInputGradient, {s.n, half, s.in_channels, s.out_channels, 1, 0, 1, 1}, [&](const auto& convolve) {
    const float* dense = written_out(*work_, of_input, Slot::kGradient, dz, rows, s.out_channels);
    convolve(dense, turned(*work_, of_input, weight, s.in_channels, s.out_channels), dx);
  });
  work_->choices().run(choice_key(*work_, of_input, {s.n, s.in_size, s.in_channels, s.out_channels}), ways);
  work_->meet();
}

}  // namespace fer::cuda
