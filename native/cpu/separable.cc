// The separable convolution: depthwise 3x3, then pointwise. A group of images goes through all stages of an op while its
// tensors are in cache: going back, dz from batch norm, weight gradient, data gradient, ReLU mask and the sums the next batch
// norm needs.
#include <algorithm>
#include <cstring>

#include "cpu/cpu_backend.h"
#include "cpu/scratch_slots.h"

namespace fer::cpu {

void CpuBackend::run(const SeparableForward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const SeparableForward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const size_t row = static_cast<size_t>(s.size) * s.in_channels, in_image = s.size * row;
  const float* b = packed_for(op.training, op.pointwise, s.in_channels, s.out_channels);
  const Affine affine = pending(op.in);
  const bool columns = shares_columns(op.training || op.d, s.n, s.size, s.out_channels);
  const Cut cut = columns ? Cut(s.size) : shared_cut(s.n, s.size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    float *ring = scratch.floats(kRing, 3 * row), *zeros = scratch.zero_floats(kZeros, row);
    double *sum = scratch.zero_doubles(kSum, s.out_channels), *square = scratch.zero_doubles(kSquare, s.out_channels);
    for (Pieces p = columns ? all_pieces(cut, s.n) : pieces(cut, s.n, t); p.next();) {
      S* middle = op.d ? stored<S>(op.d) + p.offset(s.in_channels) : scratch.values<S>(kDepthwiseOut, cut.most_rows() * row);
      for (int j = 0; j < p.count; ++j)
        k.depthwise(stored<S>(op.in.z) + (p.image + j) * in_image, s.size, s.in_channels, affine, op.depthwise, ring, zeros, p.y0, p.y1,
                    middle + j * in_image);
      S* out = stored<S>(op.z) + p.offset(s.out_channels);
      const RowsOf<S> rows{{middle}, 1, s.in_channels, s.in_channels};
      if (columns) multiply_columns(t, p.pixels(), s.out_channels, rows, b, out);
      else k.multiply_rows(p.pixels(), s.out_channels, rows, b, out);
      if (op.training) k.column_sums(out, p.pixels(), s.out_channels, sum, square);
    }
  });
  if (op.training) finish_statistics(*op.bn, int64_t{s.n} * s.size * s.size);
}

void CpuBackend::run(const SeparableBackward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const SeparableBackward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const int pooled = (s.size + 1) / 2;
  const size_t row = static_cast<size_t>(s.size) * s.in_channels, in_image = s.size * row, out_row = static_cast<size_t>(s.size) * s.out_channels;
  const size_t pooled_image = static_cast<size_t>(pooled) * pooled * s.out_channels;
  const size_t pointwise_weights = static_cast<size_t>(s.in_channels) * s.out_channels, depthwise_weights = static_cast<size_t>(9) * s.in_channels;
  const float* b = packed(op.pointwise, s.out_channels, s.in_channels, true);
  float* flipped = scratch_[0].floats(kReversed, depthwise_weights);
  for (int tap = 0; tap < 9; ++tap)
    std::memcpy(flipped + static_cast<size_t>(tap) * s.in_channels, op.depthwise + static_cast<size_t>(8 - tap) * s.in_channels,
                s.in_channels * sizeof(float));
  const Affine affine = pending(op.in), identity{nullptr, nullptr, false};
  const Cut cut(s.size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    float *ring = scratch.floats(kRing, 3 * row), *zeros = scratch.zero_floats(kZeros, row);
    float *dw_point = scratch.zero_floats(kWeightGrad, pointwise_weights), *dw_depth = scratch.zero_floats(kWeightGrad2, depthwise_weights);
    double *sum = scratch.zero_doubles(kSum, s.in_channels), *sum_hat = scratch.zero_doubles(kSquare, s.in_channels);
    const Slice images = slice(s.n, t);
    for (Pieces p(cut, images.begin * cut.strips(), images.end * cut.strips()); p.next();) {
      const size_t at = p.offset(s.out_channels);
      S* dz = scratch.values<S>(kGradient, cut.most_rows() * out_row);
      float* dd = scratch.floats(kDepthwiseGrad, cut.images() * in_image);
      if (op.up.argmax) {
        for (int j = 0; j < p.count; ++j)
          k.pool_batch_norm_backward(stored<S>(op.up.g) + (p.image + j) * pooled_image, op.up.argmax + (p.image + j) * pooled_image,
                                     stored<S>(op.up.z) + (p.image + j) * s.size * out_row, s.size, s.out_channels, op.up.bn->a, op.up.bn->b,
                                     op.up.bn->c, p.y0, p.y1, dz + j * s.size * out_row);
      } else {
        k.batch_norm_backward(stored<S>(op.up.g) + at, stored<S>(op.up.z) + at, p.pixels(), s.out_channels, op.up.bn->a, op.up.bn->b, op.up.bn->c,
                              dz);
      }
      const S* middle = op.d ? stored<S>(op.d) + p.offset(s.in_channels) : nullptr;
      if (!op.d) {
        S* again = scratch.values<S>(kDepthwiseOut, cut.most_rows() * row);
        for (int j = 0; j < p.count; ++j)
          k.depthwise(stored<S>(op.in.z) + (p.image + j) * in_image, s.size, s.in_channels, affine, op.depthwise, ring, zeros, p.y0, p.y1,
                      again + j * in_image);
        middle = again;
      }
      k.accumulate_outer(p.pixels(), s.out_channels, {{middle}, 1, s.in_channels, s.in_channels}, dz, dw_point);
      k.multiply_rows_to_floats(p.pixels(), s.in_channels, {{dz}, 1, s.out_channels, s.out_channels}, b, dd + p.y0 * row);
      // A row of dx needs the row of dd below it, so it waits for the next piece, unless the image ends here.
      const int x0 = std::max(p.y0 - 1, 0), x1 = p.y1 == s.size ? s.size : p.y1 - 1;
      for (int j = 0; j < p.count; ++j) {
        const S* image = stored<S>(op.in.z) + (p.image + j) * in_image;
        const float* d_image = dd + j * in_image;
        S* out = stored<S>(op.dx) + (p.image + j) * in_image;
        k.depthwise_weight_gradient(image, s.size, s.in_channels, affine, d_image + p.y0 * row, ring, zeros, p.y0, p.y1, dw_depth);
        k.depthwise_of_floats(d_image, s.size, s.in_channels, identity, flipped, ring, zeros, x0, x1, out + x0 * row);
        if (op.shortcut_dx)
          k.add_at_even(stored<S>(op.shortcut_dx) + static_cast<size_t>(p.image + j) * pooled * pooled * s.in_channels, s.size, s.in_channels, x0, x1,
                        out);
        if (op.in.bn)
          k.mask_and_sum(out + x0 * row, image + x0 * row, static_cast<ptrdiff_t>(x1 - x0) * s.size, s.in_channels, op.in.bn->scale, op.in.bn->shift,
                         op.in.bn->mean, op.in.bn->inv_std, sum, sum_hat);
      }
    }
  });
  reduce_floats(kWeightGrad, pointwise_weights, op.d_pointwise);
  reduce_floats(kWeightGrad2, depthwise_weights, op.d_depthwise);
  if (op.in.bn) batch_norm_sums(kSum, kSquare, *op.in.bn, int64_t{s.n} * s.size * s.size);
}

}  // namespace fer::cpu
