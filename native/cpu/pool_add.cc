// Max pooling of the main path plus the shortcut.
#include <algorithm>

#include "cpu/cpu_backend.h"
#include "cpu/scratch_slots.h"

namespace fer::cpu {
namespace {

Affine normalised(const BatchNorm* bn) { return {bn->scale, bn->shift, false}; }

}  // namespace

void CpuBackend::run(const PoolAddForward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const PoolAddForward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const int pooled = (s.size + 1) / 2;
  const size_t in_image = static_cast<size_t>(s.size) * s.size * s.in_channels, out_image = static_cast<size_t>(pooled) * pooled * s.in_channels;
  const Cut cut = shared_cut(s.n, pooled);
  pool_.run([&](int t) {
    for (Pieces p = pieces(cut, s.n, t); p.next();)
      for (int i = p.image; i < p.image + p.count; ++i)
        k.pool_add(stored<S>(op.main_z) + i * in_image, normalised(op.main_bn), stored<S>(op.shortcut_z) + i * out_image, normalised(op.shortcut_bn),
                   s.size, s.in_channels, p.y0, p.y1, stored<S>(op.out) + i * out_image, op.argmax ? op.argmax + i * out_image : nullptr);
  });
}

void CpuBackend::run(const PoolAddBackward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const PoolAddBackward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const int pooled = (s.size + 1) / 2;
  const size_t in_image = static_cast<size_t>(s.size) * s.size * s.in_channels, out_image = static_cast<size_t>(pooled) * pooled * s.in_channels;
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    double *sum = scratch.zero_doubles(kSum, s.in_channels), *main = scratch.zero_doubles(kSquare, s.in_channels),
           *side = scratch.zero_doubles(kSumShortcut, s.in_channels);
    const Slice images = slice(s.n, t);
    for (int i = images.begin; i < images.end; ++i)
      k.pool_add_sums(stored<S>(op.g) + i * out_image, op.argmax + i * out_image, stored<S>(op.main_z) + i * in_image, op.main_bn->mean,
                      op.main_bn->inv_std, stored<S>(op.shortcut_z) + i * out_image, op.shortcut_bn->mean, op.shortcut_bn->inv_std, s.size,
                      s.in_channels, sum, main, side);
  });
  batch_norm_sums(kSum, kSquare, *op.main_bn, int64_t{s.n} * s.size * s.size);
  // batch_norm_sums left the total of kSum in thread 0's piece; the shortcut shares it.
  double* side = scratch_[0].doubles(kSumShortcut, s.in_channels);
  for (size_t t = 1; t < scratch_.size(); ++t)
    for (int c = 0; c < s.in_channels; ++c) side[c] += scratch_[t].doubles(kSumShortcut, s.in_channels)[c];
  finish_gradients(*op.shortcut_bn, int64_t{s.n} * pooled * pooled, scratch_[0].doubles(kSum, s.in_channels), side);
}

}  // namespace fer::cpu
