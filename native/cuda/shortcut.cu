// The modules' shortcuts: 1x1 convolutions of stride 2.
#include "cuda/cuda_backend.h"
#include "cuda/ways.cuh"

namespace fer::cuda {

void CudaBackend::run(const ShortcutForward& op) {
  const Shape& s = op.shape;
  const char* label = "shortcut convolution";
  const int half = (s.size + 1) / 2, rows = s.n * half * half;
  Candidates ways =
      products(*work_, label, Even{op.in.z, s.size, s.in_channels, pending(op.in)}, Weights{op.weight, s.out_channels},
               StoreWithStatistics{op.z, s.out_channels, *op.bn, static_cast<float>(rows), op.training}, rows, s.out_channels, s.in_channels);
  add_cudnn(ways, *work_, label, CudnnPass::kForward, {s.n, s.size, s.in_channels, s.out_channels, 1, 0, 2, 1}, [&](const auto& convolve) {
    const float* x = written_out(*work_, label, op.in, static_cast<size_t>(s.n) * s.size * s.size, s.in_channels);
    convolve(x, turned(*work_, label, op.weight, s.in_channels, s.out_channels), op.z);
    if (op.training) measure_statistics(*work_, label, op.z, rows, *op.bn);
  });
  work_->choices().run(choice_key(*work_, label, {batch_in_key(s.n, op.training), s.size, s.in_channels, s.out_channels, op.training}), ways,
                       running_statistics(*op.bn, op.training));
}

void CudaBackend::run(const ShortcutBackward& op) {
  const Shape& s = op.shape;
  const char *of_weight = "shortcut's weight gradient", *of_input = "shortcut's input gradient";
  const int half = (s.size + 1) / 2, rows = s.n * half * half;
  const Gradient dz = gradient(op.up);
  Candidates ways =
      outer_products(*work_, of_weight, Even{op.in.z, s.size, s.in_channels, pending(op.in)}, dz, op.d_weight, s.in_channels, s.out_channels, rows);
  add_cudnn(ways, *work_, of_weight, CudnnPass::kWeightGradient, {s.n, s.size, s.in_channels, s.out_channels, 1, 0, 2, 1}, [&](const auto& convolve) {
    const float* x = written_out(*work_, of_weight, op.in, static_cast<size_t>(s.n) * s.size * s.size, s.in_channels);
    float* turned_gradient = work_->floats(Slot::kWeightGradient, static_cast<size_t>(s.in_channels) * s.out_channels);
    convolve(x, written_out(*work_, of_weight, Slot::kGradient, dz, rows, s.out_channels), turned_gradient);
    turn(*work_, of_weight, turned_gradient, s.out_channels, s.in_channels, op.d_weight);
  });
  work_->aside([&] { work_->choices().run(choice_key(*work_, of_weight, {s.n, s.size, s.in_channels, s.out_channels}), ways); });
  ways =
      products(*work_, of_input, dz, TransposedWeights{op.weight, s.out_channels}, Store{op.dx, s.in_channels}, rows, s.in_channels, s.out_channels);
  // Only the even pixels are asked for: a convolution of stride 1 over those.
  add_cudnn(ways, *work_, of_input, CudnnPass::kInputGradient, {s.n, half, s.in_channels, s.out_channels, 1, 0, 1, 1}, [&](const auto& convolve) {
    const float* dense = written_out(*work_, of_input, Slot::kGradient, dz, rows, s.out_channels);
    convolve(dense, turned(*work_, of_input, op.weight, s.in_channels, s.out_channels), op.dx);
  });
  work_->choices().run(choice_key(*work_, of_input, {s.n, s.size, s.in_channels, s.out_channels}), ways);
  work_->meet();
}

}  // namespace fer::cuda
