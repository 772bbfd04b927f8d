// Backward ops. A group of images goes through all stages of an op while its tensors are in cache:
// dz from batch norm, weight gradient, data gradient, ReLU mask and the sums the next batch norm needs.
#include <algorithm>
#include <cstring>

#include "cpu/cpu_backend.h"
#include "cpu/scratch_slots.h"
#include "cpu/work.h"

namespace fer::cpu {

void CpuBackend::head_backward(const HeadShape& s, const float* d_logits, const float* taps, const float* weight, float* d_weight, float* d_bias,
                               float* dx) {
  const int taps_row = 9 * s.channels;
  const size_t image = static_cast<size_t>(s.size) * s.size * s.channels;
  const float per = 1.f / static_cast<float>(s.size * s.size);
  const float* b = packed(kPackedA, weight, s.classes_padded, taps_row, true);
  const size_t weights = static_cast<size_t>(taps_row) * s.classes_padded;
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    const Slice images = slice(s.n, t);
    const int count = images.end - images.begin;
    float* dw = scratch.floats(kWeightGrad, weights);
    std::fill_n(dw, weights, 0.f);
    if (count == 0) return;
    const float* dl = d_logits + static_cast<size_t>(images.begin) * s.classes_padded;
    k_.accumulate_outer(count, s.classes_padded, {{taps + static_cast<size_t>(images.begin) * taps_row}, 1, taps_row, taps_row}, dl, dw);
    float* d_taps = scratch.floats(kGradient, static_cast<size_t>(count) * taps_row);
    k_.multiply_rows(count, taps_row, {{dl}, 1, s.classes_padded, s.classes_padded}, b, d_taps);
    for (int i = 0; i < count; ++i) {
      float* out = dx + (images.begin + i) * image;
      std::fill_n(out, image, 0.f);
      for (int tap = 0; tap < 9; ++tap) {
        const float* g = d_taps + static_cast<size_t>(i) * taps_row + static_cast<size_t>(tap) * s.channels;
        const int y0 = std::max(tap / 3 - 1, 0), y1 = std::min(s.size - 1 + tap / 3, s.size);
        const int x0 = std::max(tap % 3 - 1, 0), x1 = std::min(s.size - 1 + tap % 3, s.size);
        for (int y = y0; y < y1; ++y)
          for (int x = x0; x < x1; ++x) {
            float* p = out + static_cast<size_t>(y * s.size + x) * s.channels;
            for (int c = 0; c < s.channels; ++c) p[c] += g[c] * per;
          }
      }
    }
  });
  reduce_floats(kWeightGrad, weights, d_weight);
  std::fill_n(d_bias, s.classes_padded, 0.f);
  for (int i = 0; i < s.n; ++i)
    for (int c = 0; c < s.classes_padded; ++c) d_bias[c] += d_logits[static_cast<size_t>(i) * s.classes_padded + c];
}

void CpuBackend::pool_add_backward(const PoolShape& s, const float* g, const uint8_t* argmax, const float* main_z, BatchNorm* main_bn,
                                   const float* shortcut_z, BatchNorm* shortcut_bn) {
  const int pooled = (s.in_size + 1) / 2;
  const size_t in_image = static_cast<size_t>(s.in_size) * s.in_size * s.channels, out_image = static_cast<size_t>(pooled) * pooled * s.channels;
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    double *sum = scratch.doubles(kSum, s.channels), *main = scratch.doubles(kSquare, s.channels), *side = scratch.doubles(kSumShortcut, s.channels);
    std::fill_n(sum, s.channels, 0.0);
    std::fill_n(main, s.channels, 0.0);
    std::fill_n(side, s.channels, 0.0);
    const Slice images = slice(s.n, t);
    for (int i = images.begin; i < images.end; ++i)
      k_.pool_add_sums(g + i * out_image, argmax + i * out_image, main_z + i * in_image, main_bn->mean, main_bn->inv_std, shortcut_z + i * out_image,
                       shortcut_bn->mean, shortcut_bn->inv_std, s.in_size, s.channels, sum, main, side);
  });
  batch_norm_sums(kSum, kSquare, *main_bn, int64_t{s.n} * s.in_size * s.in_size);
  // batch_norm_sums left the total of kSum in thread 0's piece; the shortcut shares it.
  double* side = scratch_[0].doubles(kSumShortcut, s.channels);
  for (size_t t = 1; t < scratch_.size(); ++t)
    for (int c = 0; c < s.channels; ++c) side[c] += scratch_[t].doubles(kSumShortcut, s.channels)[c];
  finish_gradients(*shortcut_bn, int64_t{s.n} * pooled * pooled, scratch_[0].doubles(kSum, s.channels), side);
}

void CpuBackend::shortcut_backward(const ShortcutShape& s, const Upstream& up, View in, const float* weight, float* d_weight, float* dx) {
  const int out_size = (s.in_size + 1) / 2;
  const size_t weights = static_cast<size_t>(s.in_channels) * s.out_channels;
  const float* b = packed(kPackedA, weight, s.out_channels, s.in_channels, true);
  const Affine affine = pending(in);
  const Cut cut(out_size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    float* dw = scratch.floats(kWeightGrad, weights);
    std::fill_n(dw, weights, 0.f);
    const Slice images = slice(s.n, t);
    for (Pieces p(cut, images.begin * cut.strips(), images.end * cut.strips()); p.next();) {
      const size_t most = static_cast<size_t>(cut.most_rows()) * out_size;
      float *even = scratch.floats(kInput, most * s.in_channels), *dz = scratch.floats(kGradient, most * s.out_channels);
      gather_even(in.z, p, s.in_size, s.in_channels, even);
      if (affine.scale) k_.apply(even, p.pixels(), s.in_channels, affine, even);
      const size_t at = p.offset(s.out_channels);
      k_.batch_norm_backward(up.g + at, up.z + at, p.pixels(), s.out_channels, up.bn->a, up.bn->b, up.bn->c, dz);
      k_.accumulate_outer(p.pixels(), s.out_channels, {{even}, 1, s.in_channels, s.in_channels}, dz, dw);
      k_.multiply_rows(p.pixels(), s.in_channels, {{dz}, 1, s.out_channels, s.out_channels}, b, dx + p.offset(s.in_channels));
    }
  });
  reduce_floats(kWeightGrad, weights, d_weight);
}

void CpuBackend::separable_backward(const SeparableShape& s, const Upstream& up, View in, BatchNorm* in_bn, const float* d, const float* depthwise,
                                    const float* pointwise, float* d_depthwise, float* d_pointwise, const float* shortcut_dx, float* dx) {
  const int pooled = (s.size + 1) / 2;
  const size_t row = static_cast<size_t>(s.size) * s.in_channels, in_image = s.size * row, out_row = static_cast<size_t>(s.size) * s.out_channels;
  const size_t pooled_image = static_cast<size_t>(pooled) * pooled * s.out_channels;
  const size_t pointwise_weights = static_cast<size_t>(s.in_channels) * s.out_channels, depthwise_weights = static_cast<size_t>(9) * s.in_channels;
  const float* b = packed(kPackedA, pointwise, s.out_channels, s.in_channels, true);
  float* flipped = scratch_[0].floats(kPackedB, depthwise_weights);
  for (int tap = 0; tap < 9; ++tap)
    std::memcpy(flipped + static_cast<size_t>(tap) * s.in_channels, depthwise + static_cast<size_t>(8 - tap) * s.in_channels,
                s.in_channels * sizeof(float));
  const Affine affine = pending(in), identity{nullptr, nullptr, false};
  const Cut cut(s.size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    float *ring = scratch.floats(kRing, 3 * row), *zeros = scratch.floats(kZeros, row);
    std::fill_n(zeros, row, 0.f);
    float *dw_point = scratch.floats(kWeightGrad, pointwise_weights), *dw_depth = scratch.floats(kWeightGrad2, depthwise_weights);
    std::fill_n(dw_point, pointwise_weights, 0.f);
    std::fill_n(dw_depth, depthwise_weights, 0.f);
    double *sum = scratch.doubles(kSum, s.in_channels), *sum_hat = scratch.doubles(kSquare, s.in_channels);
    std::fill_n(sum, s.in_channels, 0.0);
    std::fill_n(sum_hat, s.in_channels, 0.0);
    const Slice images = slice(s.n, t);
    for (Pieces p(cut, images.begin * cut.strips(), images.end * cut.strips()); p.next();) {
      const size_t at = p.offset(s.out_channels);
      float *dz = scratch.floats(kGradient, cut.most_rows() * out_row), *dd = scratch.floats(kDepthwiseGrad, cut.images() * in_image);
      if (up.argmax) {
        for (int j = 0; j < p.count; ++j)
          k_.pool_batch_norm_backward(up.g + (p.image + j) * pooled_image, up.argmax + (p.image + j) * pooled_image,
                                      up.z + (p.image + j) * s.size * out_row, s.size, s.out_channels, up.bn->a, up.bn->b, up.bn->c, p.y0, p.y1,
                                      dz + j * s.size * out_row);
      } else {
        k_.batch_norm_backward(up.g + at, up.z + at, p.pixels(), s.out_channels, up.bn->a, up.bn->b, up.bn->c, dz);
      }
      const float* middle = d ? d + p.offset(s.in_channels) : nullptr;
      if (!d) {
        float* again = scratch.floats(kDepthwiseOut, cut.most_rows() * row);
        for (int j = 0; j < p.count; ++j)
          k_.depthwise(in.z + (p.image + j) * in_image, s.size, s.in_channels, affine, depthwise, ring, zeros, p.y0, p.y1, again + j * in_image);
        middle = again;
      }
      k_.accumulate_outer(p.pixels(), s.out_channels, {{middle}, 1, s.in_channels, s.in_channels}, dz, dw_point);
      k_.multiply_rows(p.pixels(), s.in_channels, {{dz}, 1, s.out_channels, s.out_channels}, b, dd + p.y0 * row);
      // A row of dx needs the row of dd below it, so it waits for the next piece, unless the image ends here.
      const int x0 = std::max(p.y0 - 1, 0), x1 = p.y1 == s.size ? s.size : p.y1 - 1;
      for (int j = 0; j < p.count; ++j) {
        const float *image = in.z + (p.image + j) * in_image, *d_image = dd + j * in_image;
        float* out = dx + (p.image + j) * in_image;
        k_.depthwise_weight_gradient(image, s.size, s.in_channels, affine, d_image + p.y0 * row, ring, zeros, p.y0, p.y1, dw_depth);
        k_.depthwise(d_image, s.size, s.in_channels, identity, flipped, ring, zeros, x0, x1, out + x0 * row);
        if (shortcut_dx)
          k_.add_at_even(shortcut_dx + static_cast<size_t>(p.image + j) * pooled * pooled * s.in_channels, s.size, s.in_channels, x0, x1, out);
        if (in_bn)
          k_.mask_and_sum(out + x0 * row, image + x0 * row, static_cast<ptrdiff_t>(x1 - x0) * s.size, s.in_channels, in_bn->scale, in_bn->shift,
                          in_bn->mean, in_bn->inv_std, sum, sum_hat);
      }
    }
  });
  reduce_floats(kWeightGrad, pointwise_weights, d_pointwise);
  reduce_floats(kWeightGrad2, depthwise_weights, d_depthwise);
  if (in_bn) batch_norm_sums(kSum, kSquare, *in_bn, int64_t{s.n} * s.size * s.size);
}

void CpuBackend::convolution_backward(const ConvolutionShape& s, const Upstream& up, View in, BatchNorm* in_bn, const float* weight, float* d_weight,
                                      float* dx) {
  const int out_size = s.in_size - 2, in_row = s.in_size * s.in_channels, padded_size = out_size + 4;
  const int in_pixels = s.in_size * s.in_size, out_row = out_size * s.out_channels, padded_row = padded_size * s.out_channels;
  const size_t in_image = static_cast<size_t>(s.in_size) * in_row, out_image = static_cast<size_t>(out_size) * out_row;
  const size_t weights = static_cast<size_t>(9) * s.in_channels * s.out_channels;
  // Data gradient: a convolution of the zero-padded dz with the taps reversed and in/out exchanged.
  const float* b = nullptr;
  if (dx) {
    const size_t tap_size = static_cast<size_t>(s.in_channels) * s.out_channels;
    float* reversed = scratch_[0].floats(kPackedB, weights);
    for (int tap = 0; tap < 9; ++tap)
      for (int o = 0; o < s.out_channels; ++o)
        for (int c = 0; c < s.in_channels; ++c)
          reversed[tap * tap_size + static_cast<size_t>(o) * s.in_channels + c] =
              weight[(8 - tap) * tap_size + static_cast<size_t>(c) * s.out_channels + o];
    b = packed(kPackedA, reversed, 9 * s.out_channels, s.in_channels, false);
  }
  const Affine affine = pending(in);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    float* dw = scratch.floats(kWeightGrad, weights);
    std::fill_n(dw, weights, 0.f);
    double *sum = scratch.doubles(kSum, s.in_channels), *sum_hat = scratch.doubles(kSquare, s.in_channels);
    std::fill_n(sum, s.in_channels, 0.0);
    std::fill_n(sum_hat, s.in_channels, 0.0);
    const size_t padded_image = static_cast<size_t>(padded_size) * padded_row;
    float* dz = scratch.floats(kGradient, padded_image);
    std::fill_n(dz, padded_image, 0.f);
    const Slice images = slice(s.n, t);
    for (int i = images.begin; i < images.end; ++i) {
      const float* x = in.z + i * in_image;
      if (affine.scale) {
        float* normal = scratch.floats(kInput, in_image);
        k_.apply(x, in_pixels, s.in_channels, affine, normal);
        x = normal;
      }
      for (int y = 0; y < out_size; ++y) {
        float* dz_row = dz + static_cast<size_t>(y + 2) * padded_row + 2 * s.out_channels;
        const size_t at = i * out_image + static_cast<size_t>(y) * out_row;
        k_.batch_norm_backward(up.g + at, up.z + at, out_size, s.out_channels, up.bn->a, up.bn->b, up.bn->c, dz_row);
        const float* top = x + static_cast<ptrdiff_t>(y) * in_row;
        k_.accumulate_outer(out_size, s.out_channels, {{top, top + in_row, top + 2 * in_row}, 3, 3 * s.in_channels, s.in_channels}, dz_row, dw);
      }
      if (!dx) continue;
      float* out = dx + i * in_image;
      for (int y = 0; y < s.in_size; ++y) {
        const float* top = dz + static_cast<size_t>(y) * padded_row;
        k_.multiply_rows(s.in_size, s.in_channels, {{top, top + padded_row, top + 2 * padded_row}, 3, 3 * s.out_channels, s.out_channels}, b,
                         out + static_cast<size_t>(y) * in_row);
      }
      if (in_bn)
        k_.mask_and_sum(out, in.z + i * in_image, in_pixels, s.in_channels, in_bn->scale, in_bn->shift, in_bn->mean, in_bn->inv_std, sum, sum_hat);
    }
  });
  reduce_floats(kWeightGrad, weights, d_weight);
  if (in_bn) batch_norm_sums(kSum, kSquare, *in_bn, int64_t{s.n} * in_pixels);
}

}  // namespace fer::cpu
