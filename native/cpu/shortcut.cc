// The shortcut: a 1x1 convolution of the even pixels.
#include <algorithm>
#include <cstring>

#include "cpu/cpu_backend.h"
#include "cpu/scratch_slots.h"

namespace fer::cpu {

namespace {

template <class S>
void gather_even(const S* in, const Pieces& p, int size, int channels, S* out) {
  for (int i = p.image; i < p.image + p.count; ++i)
    for (int y = 2 * p.y0; y < 2 * p.y1; y += 2) {
      const S* row = in + (static_cast<size_t>(i) * size + y) * size * channels;
      for (int x = 0; x < size; x += 2, out += channels) std::memcpy(out, row + static_cast<size_t>(x) * channels, channels * sizeof(S));
    }
}

}  // namespace

void CpuBackend::run(const ShortcutForward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const ShortcutForward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const int out_size = (s.size + 1) / 2;
  const float* b = packed_for(op.training, op.weight, s.in_channels, s.out_channels);
  const Affine affine = pending(op.in);
  const bool columns = shares_columns(op.training, s.n, out_size, s.out_channels);
  const Cut cut = columns ? Cut(out_size) : shared_cut(s.n, out_size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    double *sum = scratch.zero_doubles(kSum, s.out_channels), *square = scratch.zero_doubles(kSquare, s.out_channels);
    for (Pieces p = columns ? all_pieces(cut, s.n) : pieces(cut, s.n, t); p.next();) {
      S* even = scratch.values<S>(kInput, static_cast<size_t>(cut.most_rows()) * out_size * s.in_channels);
      gather_even(stored<S>(op.in.z), p, s.size, s.in_channels, even);
      if (affine.scale) k.apply(even, p.pixels(), s.in_channels, affine, even);
      S* out = stored<S>(op.z) + p.offset(s.out_channels);
      const RowsOf<S> rows{{even}, 1, s.in_channels, s.in_channels};
      if (columns) multiply_columns(t, p.pixels(), s.out_channels, rows, b, out);
      else k.multiply_rows(p.pixels(), s.out_channels, rows, b, out);
      if (op.training) k.column_sums(out, p.pixels(), s.out_channels, sum, square);
    }
  });
  if (op.training) finish_statistics(*op.bn, int64_t{s.n} * out_size * out_size);
}

void CpuBackend::run(const ShortcutBackward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const ShortcutBackward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const int out_size = (s.size + 1) / 2;
  const size_t weights = static_cast<size_t>(s.in_channels) * s.out_channels;
  const float* b = packed(op.weight, s.out_channels, s.in_channels, true);
  const Affine affine = pending(op.in);
  const Cut cut(out_size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    float* dw = scratch.zero_floats(kWeightGrad, weights);
    const Slice images = slice(s.n, t);
    for (Pieces p(cut, images.begin * cut.strips(), images.end * cut.strips()); p.next();) {
      const size_t most = static_cast<size_t>(cut.most_rows()) * out_size;
      S *even = scratch.values<S>(kInput, most * s.in_channels), *dz = scratch.values<S>(kGradient, most * s.out_channels);
      gather_even(stored<S>(op.in.z), p, s.size, s.in_channels, even);
      if (affine.scale) k.apply(even, p.pixels(), s.in_channels, affine, even);
      const size_t at = p.offset(s.out_channels);
      k.batch_norm_backward(stored<S>(op.up.g) + at, stored<S>(op.up.z) + at, p.pixels(), s.out_channels, op.up.bn->a, op.up.bn->b, op.up.bn->c, dz);
      k.accumulate_outer(p.pixels(), s.out_channels, {{even}, 1, s.in_channels, s.in_channels}, dz, dw);
      k.multiply_rows(p.pixels(), s.in_channels, {{dz}, 1, s.out_channels, s.out_channels}, b, stored<S>(op.dx) + p.offset(s.in_channels));
    }
  });
  reduce_floats(kWeightGrad, weights, op.d_weight);
}

}  // namespace fer::cpu
