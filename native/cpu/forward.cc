// Forward ops: convolution (+ pending normalisation of its input, + statistics of its output), pooling, head, loss.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/cpu_backend.h"
#include "cpu/scratch_slots.h"
#include "cpu/work.h"

namespace fer::cpu {
namespace {

Affine normalised(const BatchNorm* bn) { return {bn->scale, bn->shift, false}; }

}  // namespace

void CpuBackend::convolution_forward(const ConvolutionShape& s, View in, const float* weight, float* z, BatchNorm* bn, bool training) {
  const int out_size = s.in_size - 2, row = s.in_size * s.in_channels;
  const size_t in_image = static_cast<size_t>(s.in_size) * row, out_row = static_cast<size_t>(out_size) * s.out_channels;
  const float* b = packed(kPackedA, weight, 9 * s.in_channels, s.out_channels, false);
  const Affine affine = pending(in);
  const Cut cut = this->cut(s.n, out_size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    double *sum = scratch.doubles(kSum, s.out_channels), *square = scratch.doubles(kSquare, s.out_channels);
    std::fill_n(sum, s.out_channels, 0.0);
    std::fill_n(square, s.out_channels, 0.0);
    for (Pieces p = pieces(cut, s.n, t); p.next();)
      for (int i = p.image; i < p.image + p.count; ++i) {
        const int rows = p.y1 - p.y0;
        const float* x = in.z + i * in_image + static_cast<ptrdiff_t>(p.y0) * row;
        if (affine.scale) {
          float* normal = scratch.floats(kInput, static_cast<size_t>(cut.most_rows() + 2) * row);
          k_.apply(x, static_cast<ptrdiff_t>(rows + 2) * s.in_size, s.in_channels, affine, normal);
          x = normal;
        }
        float* out = z + (static_cast<size_t>(i) * out_size + p.y0) * out_row;
        for (int y = 0; y < rows; ++y) {
          const float* top = x + static_cast<ptrdiff_t>(y) * row;
          k_.multiply_rows(out_size, s.out_channels, {{top, top + row, top + 2 * row}, 3, 3 * s.in_channels, s.in_channels}, b, out + y * out_row);
        }
        if (training) k_.column_sums(out, static_cast<ptrdiff_t>(rows) * out_size, s.out_channels, sum, square);
      }
  });
  if (training) finish_statistics(*bn, int64_t{s.n} * out_size * out_size);
}

void CpuBackend::separable_forward(const SeparableShape& s, View in, const float* depthwise, const float* pointwise, float* d, float* z,
                                   BatchNorm* bn, bool training) {
  const size_t row = static_cast<size_t>(s.size) * s.in_channels, in_image = s.size * row;
  const float* b = packed(kPackedA, pointwise, s.in_channels, s.out_channels, false);
  const Affine affine = pending(in);
  const Cut cut = this->cut(s.n, s.size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    float *ring = scratch.floats(kRing, 3 * row), *zeros = scratch.floats(kZeros, row);
    std::fill_n(zeros, row, 0.f);
    double *sum = scratch.doubles(kSum, s.out_channels), *square = scratch.doubles(kSquare, s.out_channels);
    std::fill_n(sum, s.out_channels, 0.0);
    std::fill_n(square, s.out_channels, 0.0);
    for (Pieces p = pieces(cut, s.n, t); p.next();) {
      float* middle = d ? d + p.offset(s.in_channels) : scratch.floats(kDepthwiseOut, cut.most_rows() * row);
      for (int j = 0; j < p.count; ++j)
        k_.depthwise(in.z + (p.image + j) * in_image, s.size, s.in_channels, affine, depthwise, ring, zeros, p.y0, p.y1, middle + j * in_image);
      float* out = z + p.offset(s.out_channels);
      k_.multiply_rows(p.pixels(), s.out_channels, {{middle}, 1, s.in_channels, s.in_channels}, b, out);
      if (training) k_.column_sums(out, p.pixels(), s.out_channels, sum, square);
    }
  });
  if (training) finish_statistics(*bn, int64_t{s.n} * s.size * s.size);
}

void CpuBackend::shortcut_forward(const ShortcutShape& s, View in, const float* weight, float* z, BatchNorm* bn, bool training) {
  const int out_size = (s.in_size + 1) / 2;
  const float* b = packed(kPackedA, weight, s.in_channels, s.out_channels, false);
  const Affine affine = pending(in);
  const Cut cut = this->cut(s.n, out_size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    double *sum = scratch.doubles(kSum, s.out_channels), *square = scratch.doubles(kSquare, s.out_channels);
    std::fill_n(sum, s.out_channels, 0.0);
    std::fill_n(square, s.out_channels, 0.0);
    for (Pieces p = pieces(cut, s.n, t); p.next();) {
      float* even = scratch.floats(kInput, static_cast<size_t>(cut.most_rows()) * out_size * s.in_channels);
      gather_even(in.z, p, s.in_size, s.in_channels, even);
      if (affine.scale) k_.apply(even, p.pixels(), s.in_channels, affine, even);
      float* out = z + p.offset(s.out_channels);
      k_.multiply_rows(p.pixels(), s.out_channels, {{even}, 1, s.in_channels, s.in_channels}, b, out);
      if (training) k_.column_sums(out, p.pixels(), s.out_channels, sum, square);
    }
  });
  if (training) finish_statistics(*bn, int64_t{s.n} * out_size * out_size);
}

void CpuBackend::gather_even(const float* in, const Pieces& p, int size, int channels, float* out) {
  for (int i = p.image; i < p.image + p.count; ++i)
    for (int y = 2 * p.y0; y < 2 * p.y1; y += 2) {
      const float* row = in + (static_cast<size_t>(i) * size + y) * size * channels;
      for (int x = 0; x < size; x += 2, out += channels) std::memcpy(out, row + static_cast<size_t>(x) * channels, channels * sizeof(float));
    }
}

void CpuBackend::pool_add_forward(const PoolShape& s, const float* main_z, const BatchNorm* main_bn, const float* shortcut_z,
                                  const BatchNorm* shortcut_bn, float* out, uint8_t* argmax) {
  const int pooled = (s.in_size + 1) / 2;
  const size_t in_image = static_cast<size_t>(s.in_size) * s.in_size * s.channels, out_image = static_cast<size_t>(pooled) * pooled * s.channels;
  const Cut cut = this->cut(s.n, pooled);
  pool_.run([&](int t) {
    for (Pieces p = pieces(cut, s.n, t); p.next();)
      for (int i = p.image; i < p.image + p.count; ++i)
        k_.pool_add(main_z + i * in_image, normalised(main_bn), shortcut_z + i * out_image, normalised(shortcut_bn), s.in_size, s.channels, p.y0,
                    p.y1, out + i * out_image, argmax ? argmax + i * out_image : nullptr);
  });
}

void CpuBackend::head_forward(const HeadShape& s, const float* x, const float* weight, const float* bias, float* taps, float* logits) {
  const size_t image = static_cast<size_t>(s.size) * s.size * s.channels, tap_row = static_cast<size_t>(9) * s.channels;
  const float per = 1.f / static_cast<float>(s.size * s.size);
  const float* b = packed(kPackedA, weight, 9 * s.channels, s.classes_padded, false);
  pool_.run([&](int t) {
    const Slice images = slice(s.n, t);
    for (int i = images.begin; i < images.end; ++i)
      for (int tap = 0; tap < 9; ++tap) {
        // Tap (ky, kx) of the padded convolution sees rows ky-1 .. size-2+ky, cut at the border.
        float* sum = taps + i * tap_row + static_cast<size_t>(tap) * s.channels;
        std::fill_n(sum, s.channels, 0.f);
        const int y0 = std::max(tap / 3 - 1, 0), y1 = std::min(s.size - 1 + tap / 3, s.size);
        const int x0 = std::max(tap % 3 - 1, 0), x1 = std::min(s.size - 1 + tap % 3, s.size);
        for (int y = y0; y < y1; ++y)
          for (int xx = x0; xx < x1; ++xx) {
            const float* p = x + i * image + static_cast<size_t>(y * s.size + xx) * s.channels;
            for (int c = 0; c < s.channels; ++c) sum[c] += p[c] * per;
          }
      }
    const int count = images.end - images.begin;
    float* out = logits + static_cast<size_t>(images.begin) * s.classes_padded;
    if (count > 0)
      k_.multiply_rows(count, s.classes_padded, {{taps + images.begin * tap_row}, 1, 9 * s.channels, static_cast<ptrdiff_t>(tap_row)}, b, out);
    for (int i = 0; i < count; ++i)
      for (int c = 0; c < s.classes_padded; ++c) out[static_cast<size_t>(i) * s.classes_padded + c] += bias[c];
  });
}

// loss_i = -sum_c q_c log p_c with q = (1 - s) one-hot + s / classes; each class term carries its weight, and the
// mean divides by the sum of the labels' weights: PyTorch's cross_entropy(weight=, label_smoothing=).
void CpuBackend::softmax_cross_entropy(const HeadShape& s, const float* logits, const Batch& batch, const LossOptions& options, float* d_logits,
                                       LossTotals* totals) {
  const uint32_t* rows = batch.order + (batch.step ? batch.step->begin : 0);
  auto label = [&](int i) { return batch.labels[rows[i]]; };
  const float* weights = options.class_weights;
  double weight_sum = 0, weighted_loss = 0;
  for (int i = 0; i < s.n; ++i) weight_sum += weights ? weights[label(i)] : 1.f;
  const double uniform = options.label_smoothing / static_cast<double>(s.classes);
  for (int i = 0; i < s.n; ++i) {
    const float* z = logits + static_cast<size_t>(i) * s.classes_padded;
    float* dz = d_logits + static_cast<size_t>(i) * s.classes_padded;
    const int best = static_cast<int>(std::max_element(z, z + s.classes) - z);
    double sum = 0;
    for (int c = 0; c < s.classes; ++c) sum += std::exp(static_cast<double>(z[c]) - z[best]);
    const double log_sum = std::log(sum) + z[best];
    double mass = 0;  // sum over classes of weight * q
    for (int c = 0; c < s.classes; ++c) {
      const double q = (c == label(i) ? 1.0 - options.label_smoothing : 0.0) + uniform;
      const double wq = q * (weights ? weights[c] : 1.f);
      mass += wq;
      weighted_loss += wq * (log_sum - z[c]);
      dz[c] = static_cast<float>(-wq / weight_sum);
    }
    for (int c = 0; c < s.classes; ++c) dz[c] += static_cast<float>(mass * std::exp(z[c] - log_sum) / weight_sum);
    for (int c = s.classes; c < s.classes_padded; ++c) dz[c] = 0.f;
    totals->correct += best == label(i);
  }
  totals->loss_sum += weighted_loss / weight_sum * s.n;
}

}  // namespace fer::cpu
