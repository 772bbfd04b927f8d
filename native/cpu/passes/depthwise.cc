// Depthwise 3x3 convolution, zero-padded, NHWC, and its weight gradient.
//
// For one vector of channels, walking along a row: each column of three inputs is loaded once and feeds the
// three outputs it touches, whose partial sums stay in registers. 3 loads, 9 multiply-adds, 1 store a pixel.
// The pending normalisation of the input is applied to one row at a time, into a ring of three rows.
#include <algorithm>
#include <type_traits>

#include "cpu/passes/passes.h"
#include "cpu/passes/vector.h"

namespace fer::cpu::FER_ISA {
namespace {

inline constexpr int kChunk = 64;  // channels carried down the rows at once: three rows of 44 pixels stay in the first-level cache

// Gives the three input rows around each output row, for the channels [first, first + count): normalised where the input is a
// view, side by side where they are not all of the channels.
template <class In>
class RowWindow {
 public:
  RowWindow(const In* in, int size, int channels, int first, int count, const Affine& affine, float* ring, const float* zeros, int y0)
      : in_(in + first),
        size_(size),
        channels_(channels),
        count_(count),
        ring_(ring),
        zeros_(zeros),
        affine_{affine.scale ? affine.scale + first : nullptr, affine.scale ? affine.shift + first : nullptr, affine.relu} {
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
  int stride() const { return count_; }  // floats from pixel to pixel of a row

 private:
  const float* fetch(int y) {
    if (y >= size_) return zeros_;
    const In* source = in_ + static_cast<ptrdiff_t>(y) * size_ * channels_;
    const In* ahead = source + 2 * static_cast<ptrdiff_t>(size_) * channels_;
    float* slot = ring_ + static_cast<ptrdiff_t>(y % 3) * size_ * count_;
    if constexpr (std::is_same_v<In, float>) {
      if (count_ == channels_) {
        prefetch(ahead, static_cast<ptrdiff_t>(size_) * count_);
        if (!affine_.scale) return source;
        apply(source, size_, count_, affine_, slot);
        return slot;
      }
    }
    with_lanes(count_, [&]<int L>() {
      const V<L> floor = splat<L>(affine_.relu ? 0.f : -__builtin_inff());
      for (int x = 0; x < size_; ++x, source += channels_, ahead += channels_) {
        prefetch(ahead, count_);
        for (int c = 0; c < count_; c += L) {
          V<L> v = load<L>(source + c);
          if (affine_.scale) v = maximum<L>(v * load<L>(affine_.scale + c) + load<L>(affine_.shift + c), floor);
          store<L>(slot + static_cast<ptrdiff_t>(x) * count_ + c, v);
        }
      }
    });
    return slot;
  }

  const In* in_;
  int size_, channels_, count_;
  float* ring_;
  const float* zeros_;
  Affine affine_;
  const float* rows_[3];
};

template <int L, class S>
void row_forward(const float* const* rows, int size, int stride, const float* weight, int channels, S* out) {
  for (int c = 0; c < stride; c += L) {
    V<L> w[9];
#pragma GCC unroll 9
    for (int k = 0; k < 9; ++k) w[k] = load<L>(weight + k * channels + c);
    const float *r0 = rows[0] + c, *r1 = rows[1] + c, *r2 = rows[2] + c;
    S* o = out + c;
    V<L> previous{}, current{};  // sums of the outputs left of, and at, the column being loaded
    for (int x = 0; x < size; ++x) {
      const ptrdiff_t at = static_cast<ptrdiff_t>(x) * stride;
      const V<L> a = load<L>(r0 + at), b = load<L>(r1 + at), d = load<L>(r2 + at);
      const V<L> done = previous + a * w[2] + b * w[5] + d * w[8];
      if (x > 0) store<L>(o + static_cast<ptrdiff_t>(x - 1) * channels, done);
      previous = current + a * w[1] + b * w[4] + d * w[7];
      current = a * w[0] + b * w[3] + d * w[6];
    }
    store<L>(o + static_cast<ptrdiff_t>(size - 1) * channels, previous);
  }
}

template <int L>
void row_weight_gradient(const float* const* rows, int size, int stride, const float* d_out, int channels, float* d_weight) {
  for (int c = 0; c < stride; c += L) {
    V<L> acc[9];
#pragma GCC unroll 9
    for (int k = 0; k < 9; ++k) acc[k] = load<L>(d_weight + k * channels + c);
    const float *r0 = rows[0] + c, *r1 = rows[1] + c, *r2 = rows[2] + c, *g = d_out + c;
    V<L> left{}, here = load<L>(g);  // gradient of the outputs at x-1 and x
    for (int x = 0; x < size; ++x) {
      const ptrdiff_t at = static_cast<ptrdiff_t>(x) * stride;
      const V<L> right = x + 1 < size ? load<L>(g + static_cast<ptrdiff_t>(x + 1) * channels) : V<L>{};
      const V<L> a = load<L>(r0 + at), b = load<L>(r1 + at), d = load<L>(r2 + at);
      acc[0] += a * right;
      acc[1] += a * here;
      acc[2] += a * left;
      acc[3] += b * right;
      acc[4] += b * here;
      acc[5] += b * left;
      acc[6] += d * right;
      acc[7] += d * here;
      acc[8] += d * left;
      left = here;
      here = right;
    }
#pragma GCC unroll 9
    for (int k = 0; k < 9; ++k) store<L>(d_weight + k * channels + c, acc[k]);
  }
}

}  // namespace

template <class In, class S>
void depthwise(const In* in, int size, int channels, const Affine& affine, const float* weight, float* ring, const float* zeros, int y0, int y1,
               S* out) {
  for (int first = 0; first < channels; first += kChunk) {
    const int count = std::min(kChunk, channels - first);
    RowWindow<In> window(in, size, channels, first, count, affine, ring, zeros, y0);
    with_lanes(count, [&]<int L>() {
      for (int y = y0; y < y1; ++y)
        row_forward<L>(window.at(y), size, window.stride(), weight + first, channels, out + static_cast<ptrdiff_t>(y - y0) * size * channels + first);
    });
  }
}

template <class S>
void depthwise_weight_gradient(const S* in, int size, int channels, const Affine& affine, const float* d_out, float* ring, const float* zeros, int y0,
                               int y1, float* d_weight) {
  for (int first = 0; first < channels; first += kChunk) {
    const int count = std::min(kChunk, channels - first);
    RowWindow<S> window(in, size, channels, first, count, affine, ring, zeros, y0);
    with_lanes(count, [&]<int L>() {
      for (int y = y0; y < y1; ++y)
        row_weight_gradient<L>(window.at(y), size, window.stride(), d_out + static_cast<ptrdiff_t>(y - y0) * size * channels + first, channels,
                               d_weight + first);
    });
  }
}

template void depthwise(const float*, int, int, const Affine&, const float*, float*, const float*, int, int, float*);
template void depthwise(const float*, int, int, const Affine&, const float*, float*, const float*, int, int, Bf16*);
template void depthwise(const Bf16*, int, int, const Affine&, const float*, float*, const float*, int, int, Bf16*);
template void depthwise_weight_gradient(const float*, int, int, const Affine&, const float*, float*, const float*, int, int, float*);
template void depthwise_weight_gradient(const Bf16*, int, int, const Affine&, const float*, float*, const float*, int, int, float*);

}  // namespace fer::cpu::FER_ISA
