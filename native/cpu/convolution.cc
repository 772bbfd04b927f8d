// The 3x3 convolution of the stem.
#include <algorithm>

#include "cpu/cpu_backend.h"
#include "cpu/scratch_slots.h"

namespace fer::cpu {
namespace {

// What the convolution multiplies: its input normalised, into `room`; or the picture, which is floats.
template <class S>
const S* convolution_input(const KernelsOf<S>& k, const View& in, const Affine& affine, size_t from, ptrdiff_t pixels, int channels, S* room) {
  if (affine.scale) {
    k.apply(stored<S>(in.z) + from, pixels, channels, affine, room);
    return room;
  }
  if constexpr (std::is_same_v<S, float>) return in.z + from;
  k.narrow(in.z + from, pixels * channels, room);
  return room;
}

}  // namespace

void CpuBackend::run(const ConvolutionForward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const ConvolutionForward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const int out_size = s.size - 2, row = s.size * s.in_channels;
  const size_t in_image = static_cast<size_t>(s.size) * row, out_row = static_cast<size_t>(out_size) * s.out_channels;
  const float* b = packed_for(op.training, op.weight, 9 * s.in_channels, s.out_channels);
  const Affine affine = pending(op.in);
  const Cut cut = shared_cut(s.n, out_size);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    double *sum = scratch.zero_doubles(kSum, s.out_channels), *square = scratch.zero_doubles(kSquare, s.out_channels);
    for (Pieces p = pieces(cut, s.n, t); p.next();)
      for (int i = p.image; i < p.image + p.count; ++i) {
        const int rows = p.y1 - p.y0;
        const S* x = convolution_input(k, op.in, affine, i * in_image + static_cast<size_t>(p.y0) * row, static_cast<ptrdiff_t>(rows + 2) * s.size,
                                       s.in_channels, scratch.values<S>(kInput, static_cast<size_t>(cut.most_rows() + 2) * row));
        S* out = stored<S>(op.z) + (static_cast<size_t>(i) * out_size + p.y0) * out_row;
        for (int y = 0; y < rows; ++y) {
          const S* top = x + static_cast<ptrdiff_t>(y) * row;
          k.multiply_rows(out_size, s.out_channels, {{top, top + row, top + 2 * row}, 3, 3 * s.in_channels, s.in_channels}, b, out + y * out_row);
        }
        if (op.training) k.column_sums(out, static_cast<ptrdiff_t>(rows) * out_size, s.out_channels, sum, square);
      }
  });
  if (op.training) finish_statistics(*op.bn, int64_t{s.n} * out_size * out_size);
}

void CpuBackend::run(const ConvolutionBackward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const ConvolutionBackward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const int out_size = s.size - 2, in_row = s.size * s.in_channels, padded_size = out_size + 4;
  const int in_pixels = s.size * s.size, out_row = out_size * s.out_channels, padded_row = padded_size * s.out_channels;
  const size_t in_image = static_cast<size_t>(s.size) * in_row, out_image = static_cast<size_t>(out_size) * out_row;
  const size_t weights = static_cast<size_t>(9) * s.in_channels * s.out_channels;
  // Data gradient: a convolution of the zero-padded dz with the taps reversed and in and out exchanged.
  const float* b = nullptr;
  if (op.dx) {
    const size_t tap_size = static_cast<size_t>(s.in_channels) * s.out_channels;
    float* reversed = scratch_[0].floats(kReversed, weights);
    for (int tap = 0; tap < 9; ++tap)
      for (int o = 0; o < s.out_channels; ++o)
        for (int c = 0; c < s.in_channels; ++c)
          reversed[tap * tap_size + static_cast<size_t>(o) * s.in_channels + c] =
              op.weight[(8 - tap) * tap_size + static_cast<size_t>(c) * s.out_channels + o];
    b = packed(reversed, 9 * s.out_channels, s.in_channels, false);
  }
  const Affine affine = pending(op.in);
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    float* dw = scratch.zero_floats(kWeightGrad, weights);
    double *sum = scratch.zero_doubles(kSum, s.in_channels), *sum_hat = scratch.zero_doubles(kSquare, s.in_channels);
    const size_t padded_image = static_cast<size_t>(padded_size) * padded_row;
    S* dz = scratch.values<S>(kGradient, padded_image);
    std::fill_n(dz, padded_image, S{});
    const Slice images = slice(s.n, t);
    for (int i = images.begin; i < images.end; ++i) {
      const S* x = convolution_input(k, op.in, affine, i * in_image, in_pixels, s.in_channels, scratch.values<S>(kInput, in_image));
      for (int y = 0; y < out_size; ++y) {
        S* dz_row = dz + static_cast<size_t>(y + 2) * padded_row + 2 * s.out_channels;
        const size_t at = i * out_image + static_cast<size_t>(y) * out_row;
        k.batch_norm_backward(stored<S>(op.up.g) + at, stored<S>(op.up.z) + at, out_size, s.out_channels, op.up.bn->a, op.up.bn->b, op.up.bn->c,
                              dz_row);
        const S* top = x + static_cast<ptrdiff_t>(y) * in_row;
        k.accumulate_outer(out_size, s.out_channels, {{top, top + in_row, top + 2 * in_row}, 3, 3 * s.in_channels, s.in_channels}, dz_row, dw);
      }
      if (!op.dx) continue;
      S* out = stored<S>(op.dx) + i * in_image;
      for (int y = 0; y < s.size; ++y) {
        const S* top = dz + static_cast<size_t>(y) * padded_row;
        k.multiply_rows(s.size, s.in_channels, {{top, top + padded_row, top + 2 * padded_row}, 3, 3 * s.out_channels, s.out_channels}, b,
                        out + static_cast<size_t>(y) * in_row);
      }
      if (op.in.bn)
        k.mask_and_sum(out, stored<S>(op.in.z) + i * in_image, in_pixels, s.in_channels, op.in.bn->scale, op.in.bn->shift, op.in.bn->mean,
                       op.in.bn->inv_std, sum, sum_hat);
    }
  });
  reduce_floats(kWeightGrad, weights, op.d_weight);
  if (op.in.bn) batch_norm_sums(kSum, kSquare, *op.in.bn, int64_t{s.n} * in_pixels);
}

}  // namespace fer::cpu
