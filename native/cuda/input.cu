// The input of a step: which step it is, and its images, gathered from the resident set, resized, augmented and normalised.
#include "cuda/cuda_backend.h"
#include "cuda/reductions.cuh"
#include "data/augment_pixel.h"

namespace fer::cuda {
namespace {

__global__ void advance(Advance op) { *op.now = op.schedule[op.now->index + 1]; }

// Block: one image.
__global__ void __launch_bounds__(kThreads) gather(Gather op, Divisor by_size) {
  const int t = static_cast<int>(threadIdx.x), pixels = op.out_size * op.out_size;
  const uint32_t at = (op.batch.step ? op.batch.step->begin : 0) + blockIdx.x, row = op.batch.order[at];
  const uint8_t* image = op.batch.images + static_cast<size_t>(row) * op.batch.size * op.batch.size;
  float* out = op.x + static_cast<size_t>(blockIdx.x) * pixels;
  AugmentPass pass = op.pass;
  if (op.batch.step) pass.epoch = op.batch.step->epoch;
  const Transform transform =
      op.augments ? draw_transform(pass, row, op.batch.variants ? op.batch.variants[at] : Variant{}, op.batch.size, op.out_size) : Transform{};
  float sum[1] = {};
  for (int i = t; i < pixels; i += kThreads) {
    const auto [y, x] = by_size(i);
    const float grey = sample(image, op.batch.size, transform, op.out_size, x, y);
    sum[0] += grey;
    out[i] = transform.lit ? grey : finished(grey, transform, x, y);
  }
  if (!transform.lit) return;
  block_sums(sum);
  const float mean = sum[0] / static_cast<float>(pixels);
  for (int i = t; i < pixels; i += kThreads) {
    const auto [y, x] = by_size(i);
    out[i] = finished(relit(out[i], mean, transform), transform, x, y);
  }
}

}  // namespace

void CudaBackend::run(const Advance& op) { launch("next step", advance, dim3(1), dim3(1), work_->stream(), op); }

void CudaBackend::run(const Gather& op) { launch("input", gather, dim3(op.batch.n), dim3(kThreads), work_->stream(), op, Divisor(op.out_size)); }

}  // namespace fer::cuda
