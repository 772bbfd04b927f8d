// Depthwise 3x3 convolution, zero-padded, NHWC, and its weight gradient.
//
// For one vector of channels, walking along a row: each column of three inputs is loaded once and feeds the
// three outputs it touches, whose partial sums stay in registers. 3 loads, 9 multiply-adds, 1 store a pixel.
// The pending normalisation of the input is applied to one row at a time, into a ring of three rows.
#include "cpu/kernels/table.h"
#include "cpu/kernels/vector.h"

namespace fer::cpu::FER_ISA {
namespace {

// Gives the three input rows around each output row, normalised where the input is a view.
class RowWindow {
 public:
  RowWindow(const float* in, int size, int channels, const Affine& affine, float* ring, const float* zeros, int y0)
      : in_(in), size_(size), row_(static_cast<ptrdiff_t>(size) * channels), channels_(channels), affine_(affine), ring_(ring), zeros_(zeros) {
    rows_[1] = y0 > 0 ? fetch(y0 - 1) : zeros_;
    rows_[2] = fetch(y0);
  }
  // Moves to output row y; call with y = y0, y0 + 1, ...
  const float* const* at(int y) {
    rows_[0] = rows_[1];
    rows_[1] = rows_[2];
    rows_[2] = fetch(y + 1);
    return rows_;
  }

 private:
  const float* fetch(int y) {
    if (y >= size_) return zeros_;
    const float* source = in_ + y * row_;
    prefetch(source + 2 * row_, row_);
    if (!affine_.scale) return source;
    float* slot = ring_ + (y % 3) * row_;
    apply(source, size_, channels_, affine_, slot);
    return slot;
  }

  const float* in_;
  int size_;
  ptrdiff_t row_;
  int channels_;
  const Affine& affine_;
  float* ring_;
  const float* zeros_;
  const float* rows_[3];
};

template <int L>
void row_forward(const float* const* rows, int size, int channels, const float* weight, float* out) {
  for (int c = 0; c < channels; c += L) {
    V<L> w[9];
#pragma GCC unroll 9
    for (int k = 0; k < 9; ++k) w[k] = load<L>(weight + k * channels + c);
    const float *r0 = rows[0] + c, *r1 = rows[1] + c, *r2 = rows[2] + c;
    float* o = out + c;
    V<L> previous{}, current{};  // sums of the outputs left of, and at, the column being loaded
    for (int x = 0; x < size; ++x) {
      const ptrdiff_t at = static_cast<ptrdiff_t>(x) * channels;
      const V<L> a = load<L>(r0 + at), b = load<L>(r1 + at), d = load<L>(r2 + at);
      const V<L> done = previous + a * w[2] + b * w[5] + d * w[8];
      if (x > 0) store<L>(o + at - channels, done);
      previous = current + a * w[1] + b * w[4] + d * w[7];
      current = a * w[0] + b * w[3] + d * w[6];
    }
    store<L>(o + static_cast<ptrdiff_t>(size - 1) * channels, previous);
  }
}

template <int L>
void row_weight_gradient(const float* const* rows, int size, int channels, const float* d_out, float* d_weight) {
  for (int c = 0; c < channels; c += L) {
    V<L> acc[9];
#pragma GCC unroll 9
    for (int k = 0; k < 9; ++k) acc[k] = load<L>(d_weight + k * channels + c);
    const float *r0 = rows[0] + c, *r1 = rows[1] + c, *r2 = rows[2] + c, *g = d_out + c;
    V<L> left{}, here = load<L>(g);  // gradient of the outputs at x-1 and x
    for (int x = 0; x < size; ++x) {
      const ptrdiff_t at = static_cast<ptrdiff_t>(x) * channels;
      const V<L> right = x + 1 < size ? load<L>(g + at + channels) : V<L>{};
      const V<L> a = load<L>(r0 + at), b = load<L>(r1 + at), d = load<L>(r2 + at);
      acc[0] += a * right; acc[1] += a * here; acc[2] += a * left;
      acc[3] += b * right; acc[4] += b * here; acc[5] += b * left;
      acc[6] += d * right; acc[7] += d * here; acc[8] += d * left;
      left = here;
      here = right;
    }
#pragma GCC unroll 9
    for (int k = 0; k < 9; ++k) store<L>(d_weight + k * channels + c, acc[k]);
  }
}

}  // namespace

void depthwise(const float* in, int size, int channels, const Affine& affine, const float* weight, float* ring, const float* zeros, int y0, int y1,
               float* out) {
  RowWindow window(in, size, channels, affine, ring, zeros, y0);
  with_lanes(channels, [&]<int L>() {
    for (int y = y0; y < y1; ++y) row_forward<L>(window.at(y), size, channels, weight, out + static_cast<ptrdiff_t>(y - y0) * size * channels);
  });
}

void depthwise_weight_gradient(const float* in, int size, int channels, const Affine& affine, const float* d_out, float* ring, const float* zeros,
                               int y0, int y1, float* d_weight) {
  RowWindow window(in, size, channels, affine, ring, zeros, y0);
  with_lanes(channels, [&]<int L>() {
    for (int y = y0; y < y1; ++y)
      row_weight_gradient<L>(window.at(y), size, channels, d_out + static_cast<ptrdiff_t>(y - y0) * size * channels, d_weight);
  });
}

}  // namespace fer::cpu::FER_ISA
