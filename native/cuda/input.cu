// The input of a step: which step it is, and its images, gathered from the resident set, resized, augmented and normalised.
#include "core/augment_pixel.h"
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"

namespace fer::cuda {
namespace {

__global__ void advance(const StepState* schedule, StepState* now) { *now = schedule[now->index + 1]; }

// Block: one image.
__global__ void __launch_bounds__(kThreads) gather(Batch batch, AugmentPass pass, bool augments, int out_size, float* x) {
  __shared__ double parts[kThreads];
  const int t = static_cast<int>(threadIdx.x), pixels = out_size * out_size;
  const uint32_t at = (batch.step ? batch.step->begin : 0) + blockIdx.x, row = batch.order[at];
  const uint8_t* image = batch.images + static_cast<size_t>(row) * batch.size * batch.size;
  float* out = x + static_cast<size_t>(blockIdx.x) * pixels;
  if (batch.step) pass.epoch = batch.step->epoch;
  const Transform transform =
      augments ? draw_transform(pass, row, batch.variants ? batch.variants[at] : Variant{}, batch.size, out_size) : Transform{};
  double sum = 0;
  for (int i = t; i < pixels; i += kThreads) {
    const float grey = sample(image, batch.size, transform, out_size, i % out_size, i / out_size);
    sum += grey;
    out[i] = transform.lit ? grey : finished(grey, transform, i % out_size, i / out_size);
  }
  if (!transform.lit) return;
  parts[t] = sum;
  __syncthreads();
  for (int half = kThreads / 2; half > 0; half /= 2) {
    if (t < half) parts[t] += parts[t + half];
    __syncthreads();
  }
  const float mean = static_cast<float>(parts[0] / pixels);
  for (int i = t; i < pixels; i += kThreads) out[i] = finished(relit(out[i], mean, transform), transform, i % out_size, i / out_size);
}

}  // namespace

void CudaBackend::advance(const StepState* schedule, StepState* now) {
  enter();
  launch("next step", cuda::advance, dim3(1), dim3(1), work_->stream(), schedule, now);
}

void CudaBackend::gather(const Batch& batch, const AugmentPass* augment, int out_size, float* x) {
  enter();
  launch("input", cuda::gather, dim3(batch.n), dim3(kThreads), work_->stream(), batch, augment ? *augment : AugmentPass{}, augment != nullptr,
         out_size, x);
}

}  // namespace fer::cuda
