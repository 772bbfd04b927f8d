// The input of a step: which step it is, and its images, gathered from the resident set, resized, augmented and normalised.
#include "cpu/cpu_backend.h"

namespace fer::cpu {

void CpuBackend::run(const Advance& op) { *op.now = op.schedule[op.now->index + 1]; }

void CpuBackend::run(const Gather& op) {
  const Batch& batch = op.batch;
  const size_t pixels = static_cast<size_t>(batch.size) * batch.size, out_pixels = static_cast<size_t>(op.out_size) * op.out_size;
  const uint32_t begin = batch.step ? batch.step->begin : 0, *rows = batch.order + begin;
  AugmentPass pass = op.pass;
  if (batch.step) pass.epoch = batch.step->epoch;
  pool_.run([&](int t) {
    const Slice s = slice(batch.n, t);
    for (int i = s.begin; i < s.end; ++i)
      augment(batch.images + rows[i] * pixels, batch.size, rows[i], batch.variants ? batch.variants[begin + i] : Variant{},
              op.augments ? &pass : nullptr, op.out_size, op.x + i * out_pixels);
  });
}

}  // namespace fer::cpu
