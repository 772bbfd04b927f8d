// The head: a padded 3x3 convolution to the classes and global average pooling. Both are linear, so the nine windowed means
// of the input (`taps`) are multiplied by the weights once.
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

constexpr int kOutputs = 8;  // logits a thread accumulates at once; the padded classes are a multiple of it

// Tap `k` of the padded convolution sees pixels k - 1 .. size - 2 + k, cut at the border.
__device__ inline bool sees(int k, int pixel, int size) { return pixel >= k - 1 && pixel <= size - 2 + k; }

// Block: one image.
__global__ void __launch_bounds__(kThreads)
    head_forward(Shape s, Divisor by_channel, const float* x, const float* weight, const float* bias, float* taps, float* logits) {
  const int image = static_cast<int>(blockIdx.x), t = static_cast<int>(threadIdx.x), k = 9 * s.in_channels;
  const float per = 1.f / static_cast<float>(s.size * s.size);
  float* mine = taps + static_cast<size_t>(image) * k;
  for (int i = t; i < k; i += kThreads) {
    const auto [tap, c] = by_channel(i);
    float sum = 0;
    for (int y = 0; y < s.size; ++y)
      for (int xx = 0; xx < s.size; ++xx)
        if (sees(tap / 3, y, s.size) && sees(tap % 3, xx, s.size))
          sum += x[((static_cast<size_t>(image) * s.size + y) * s.size + xx) * s.in_channels + c];
    mine[i] = sum * per;
  }
  for (int j0 = 0; j0 < s.out_channels; j0 += kOutputs) {
    float sums[kOutputs] = {};
    for (int i = t; i < k; i += kThreads)  // the taps this thread has just written
      for (int j = 0; j < kOutputs; ++j) sums[j] = fmaf(mine[i], weight[static_cast<size_t>(i) * s.out_channels + j0 + j], sums[j]);
    block_sums(sums);
    if (t == 0)
      for (int j = 0; j < kOutputs; ++j) logits[static_cast<size_t>(image) * s.out_channels + j0 + j] = sums[j] + bias[j0 + j];
  }
}

// Thread: one tap and channel (row of the weights); the last rows of the grid make the bias.
__global__ void __launch_bounds__(kThreads) head_weight_gradient(Shape s, const float* d_logits, const float* taps, float* d_weight, float* d_bias) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x), k = 9 * s.in_channels;
  if (i > k) return;
  for (int j0 = 0; j0 < s.out_channels; j0 += kOutputs) {
    float sums[kOutputs] = {};
    for (int n = 0; n < s.n; ++n) {
      const float tap = i < k ? taps[static_cast<size_t>(n) * k + i] : 1.f;
      for (int j = 0; j < kOutputs; ++j) sums[j] = fmaf(tap, d_logits[static_cast<size_t>(n) * s.out_channels + j0 + j], sums[j]);
    }
    for (int j = 0; j < kOutputs; ++j) (i < k ? d_weight + static_cast<size_t>(i) * s.out_channels : d_bias)[j0 + j] = sums[j];
  }
}

// Thread: one image and channel, all pixels.
__global__ void __launch_bounds__(kThreads)
    head_input_gradient(Shape s, Divisor by_channel, int classes, const float* d_logits, const float* weight, float* dx) {
  const int i = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (i >= s.n * s.in_channels) return;
  const auto [image, c] = by_channel(i);
  const float per = 1.f / static_cast<float>(s.size * s.size);
  float d_taps[9];
  for (int tap = 0; tap < 9; ++tap) {
    float sum = 0;
    for (int j = 0; j < classes; ++j)
      sum = fmaf(d_logits[static_cast<size_t>(image) * s.out_channels + j],
                 weight[(static_cast<size_t>(tap) * s.in_channels + c) * s.out_channels + j], sum);
    d_taps[tap] = sum * per;
  }
  for (int y = 0; y < s.size; ++y)
    for (int x = 0; x < s.size; ++x) {
      float sum = 0;
      for (int tap = 0; tap < 9; ++tap)
        if (sees(tap / 3, y, s.size) && sees(tap % 3, x, s.size)) sum += d_taps[tap];
      dx[((static_cast<size_t>(image) * s.size + y) * s.size + x) * s.in_channels + c] = sum;
    }
}

}  // namespace

void CudaBackend::run(const HeadForward& op) {
  const Shape& s = op.shape;
  launch("head", cuda::head_forward, dim3(s.n), dim3(kThreads), work_->stream(), s, Divisor(s.in_channels), op.x, op.weight, op.bias, op.taps,
         op.logits);
}

void CudaBackend::run(const HeadBackward& op) {
  const Shape& s = op.shape;
  work_->aside([&] {
    launch("head's weight gradient", head_weight_gradient, dim3(blocks_for(9 * s.in_channels + 1, kThreads)), dim3(kThreads), work_->stream(), s,
           op.d_logits, op.taps, op.d_weight, op.d_bias);
  });
  launch("head's input gradient", head_input_gradient, dim3(blocks_for(static_cast<size_t>(s.n) * s.in_channels, kThreads)), dim3(kThreads),
         work_->stream(), s, Divisor(s.in_channels), op.classes, op.d_logits, op.weight, op.dx);
  work_->meet();
}

}  // namespace fer::cuda
