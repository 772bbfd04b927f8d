// Max pooling 3x3, stride 2, TensorFlow 'same' alignment, fused with the residual addition, and its backward.
// Padding at the top and left is 0 for even sizes and 1 for odd ones.
#include "cpu/passes/passes.h"
#include "cpu/passes/vector.h"

namespace fer::cpu::FER_ISA {
namespace {

struct Window {
  int size, pooled, pad, channels;
  Window(int s, int c) : size(s), pooled((s + 1) / 2), pad(s % 2), channels(c) {}
  // Whether the three taps of output o along an axis all lie inside the image.
  bool inside(int o) const { return 2 * o >= pad && 2 * o + 2 - pad < size; }
  // Calls body(tap, offset of the input pixel) for the taps of output (y, x) inside the image: all nine where kInside.
  template <bool kInside, class Body>
  FER_INLINE void taps(int y, int x, Body&& body) const {
#pragma GCC unroll 3
    for (int ky = 0; ky < 3; ++ky) {
      const int iy = 2 * y + ky - pad;
      if (!kInside && (iy < 0 || iy >= size)) continue;
#pragma GCC unroll 3
      for (int kx = 0; kx < 3; ++kx) {
        const int ix = 2 * x + kx - pad;
        if (!kInside && (ix < 0 || ix >= size)) continue;
        body(ky * 3 + kx, (static_cast<ptrdiff_t>(iy) * size + ix) * channels);
      }
    }
  }
  // Asks for `count` channels of the four pixels that this output's place two rows below will be the first to read.
  template <class S>
  FER_INLINE void prefetch_below(const S* main, int y, int x, int count) const {
    const S* p = main + (static_cast<ptrdiff_t>(2 * y + 6) * size + 2 * x) * channels;
    for (int row = 0; row < 2; ++row, p += static_cast<ptrdiff_t>(size) * channels) {
      prefetch(p, count);
      prefetch(p + channels, count);
    }
  }
};

template <int L, bool kInside, class S>
FER_INLINE void pool_point(const Window& window, int y, int x, const S* main, const Affine& ma, const S* shortcut, const Affine& sa, S* out,
                           uint8_t* argmax) {
  for (int c = 0; c < window.channels; c += L) {
    const V<L> scale = load<L>(ma.scale + c), shift = load<L>(ma.shift + c);
    V<L> best = splat<L>(-__builtin_inff());
    VI<L> which{};
    window.taps<kInside>(y, x, [&](int tap, ptrdiff_t from) {
      const V<L> v = load<L>(main + from + c) * scale + shift;
      const VI<L> greater = v > best;
      best = greater ? v : best;
      which = greater ? VI<L>{} + tap : which;
    });
    store<L>(out + c, best + (load<L>(shortcut + c) * load<L>(sa.scale + c) + load<L>(sa.shift + c)));
    if (argmax) store_bytes<L>(argmax + c, which);
  }
}

// The sums of pool_add_sums over one output row, U vectors of channels at a time.
template <int L, int U>
struct RowSums {
  V<L> g[U] = {}, main[U] = {}, shortcut[U] = {};

  template <bool kInside, class S>
  FER_INLINE void add(const Window& window, int y, int x, const S* gradient, const uint8_t* argmax, const S* z, const S* side, const float* mean,
                      const float* side_mean) {
#pragma GCC unroll 4
    for (int u = 0; u < U; ++u) {
      const V<L> gv = load<L>(gradient + u * L);
      const VI<L> which = load_bytes<L>(argmax + u * L);
      V<L> at_maximum{};
      window.taps<kInside>(y, x, [&](int tap, ptrdiff_t from) { at_maximum = which == tap ? load<L>(z + from + u * L) : at_maximum; });
      g[u] += gv;
      main[u] += gv * (at_maximum - load<L>(mean + u * L));
      shortcut[u] += gv * (load<L>(side + u * L) - load<L>(side_mean + u * L));
    }
  }
};

// dz of the input pixels 2o and 2o + 1 (counted from the padding) of a row that lies in R output rows: columns o and,
// where kLeft, o - 1 hold the first, column o the second. `first` and `second` point at the pixels in z; null: outside.
template <class S>
struct PooledRow {
  const S* g;
  const uint8_t* argmax;
  int tap;
};  // tap: three times the row's place in the window

template <int L, int R, bool kLeft, class S>
FER_INLINE void unpool_pair(const PooledRow<S> (&rows)[2], ptrdiff_t column, int channels, const S* z, bool has_first, const float* a, const float* b,
                            const float* c, S* dz) {
  for (int k = 0; k < channels; k += L) {
    V<L> first{}, second{};
#pragma GCC unroll 2
    for (int r = 0; r < R; ++r) {
      const ptrdiff_t from = column + k;
      const V<L> g = load<L>(rows[r].g + from);
      const VI<L> which = load_bytes<L>(rows[r].argmax + from) - rows[r].tap;
      first += which == 0 ? g : V<L>{};
      second += which == 1 ? g : V<L>{};
      if constexpr (kLeft) {
        const VI<L> left = load_bytes<L>(rows[r].argmax + from - channels) - rows[r].tap;
        first += left == 2 ? load<L>(rows[r].g + from - channels) : V<L>{};
      }
    }
    const V<L> va = load<L>(a + k), vb = load<L>(b + k), vc = load<L>(c + k);
    if (has_first) store<L>(dz + k, va * first + (vb * load<L>(z + k) + vc));
    store<L>(dz + channels + k, va * second + (vb * load<L>(z + channels + k) + vc));
  }
}

template <int L, int R, class S>
void unpool_row(const PooledRow<S> (&rows)[2], const Window& w, const S* z, const float* a, const float* b, const float* c, S* dz) {
  const ptrdiff_t back = static_cast<ptrdiff_t>(w.pad) * w.channels;
  unpool_pair<L, R, false>(rows, 0, w.channels, z - back, w.pad == 0, a, b, c, dz - back);
  for (int o = 1; o < w.pooled; ++o) {
    const ptrdiff_t at = 2 * static_cast<ptrdiff_t>(o) * w.channels - back;
    unpool_pair<L, R, true>(rows, static_cast<ptrdiff_t>(o) * w.channels, w.channels, z + at, true, a, b, c, dz + at);
  }
}

}  // namespace

template <class S>
void pool_add(const S* main, const Affine& ma, const S* shortcut, const Affine& sa, int size, int channels, int y0, int y1, S* out, uint8_t* argmax) {
  const Window window(size, channels);
  with_lanes(channels, [&]<int L>() {
    for (int y = y0; y < y1; ++y)
      for (int x = 0; x < window.pooled; ++x) {
        window.prefetch_below(main, y, x, channels);
        const ptrdiff_t to = (static_cast<ptrdiff_t>(y) * window.pooled + x) * channels;
        uint8_t* flags = argmax ? argmax + to : nullptr;
        if (window.inside(y) && window.inside(x)) pool_point<L, true>(window, y, x, main, ma, shortcut + to, sa, out + to, flags);
        else pool_point<L, false>(window, y, x, main, ma, shortcut + to, sa, out + to, flags);
      }
  });
}

template <class S>
void pool_add_sums(const S* g, const uint8_t* argmax, const S* main, const float* main_mean, const float* main_inv_std, const S* shortcut,
                   const float* shortcut_mean, const float* shortcut_inv_std, int size, int channels, double* sum, double* sum_main,
                   double* sum_shortcut) {
  const Window window(size, channels);
  with_lanes(channels, [&]<int L>() {
    auto channels_from = [&]<int U>(int y, int c) {
      RowSums<L, U> row;
      for (int x = 0; x < window.pooled; ++x) {
        window.prefetch_below(main + c, y, x, U * L);
        const ptrdiff_t at = (static_cast<ptrdiff_t>(y) * window.pooled + x) * channels + c;
        auto add = [&]<bool kInside>() {
          row.template add<kInside>(window, y, x, g + at, argmax + at, main + c, shortcut + at, main_mean + c, shortcut_mean + c);
        };
        if (window.inside(y) && window.inside(x)) add.template operator()<true>();
        else add.template operator()<false>();
      }
      for (int u = 0; u < U; ++u, c += L) {
        row.main[u] *= load<L>(main_inv_std + c);
        row.shortcut[u] *= load<L>(shortcut_inv_std + c);
        for (int i = 0; i < L; ++i) {
          sum[c + i] += row.g[u][i];
          sum_main[c + i] += row.main[u][i];
          sum_shortcut[c + i] += row.shortcut[u][i];
        }
      }
    };
    for (int y = 0; y < window.pooled; ++y) {
      int c = 0;
      for (; c + 4 * L <= channels; c += 4 * L) channels_from.template operator()<4>(y, c);
      for (; c < channels; c += L) channels_from.template operator()<1>(y, c);
    }
  });
}

// By input row, so that dz is written once: counted from the padding, an even row is the first of one output row's window and
// the last of the window above; an odd row is the middle of one.
template <class S>
void pool_batch_norm_backward(const S* g, const uint8_t* argmax, const S* z, int size, int channels, const float* a, const float* b, const float* c,
                              int y0, int y1, S* dz) {
  const Window window(size, channels);
  const ptrdiff_t pooled_row = static_cast<ptrdiff_t>(window.pooled) * channels, row = static_cast<ptrdiff_t>(size) * channels;
  with_lanes(channels, [&]<int L>() {
    for (int y = y0; y < y1; ++y) {
      prefetch(z + (y + 2) * row, row);
      const int o = (y + window.pad) / 2;
      const bool middle = (y + window.pad) % 2;
      const S* here = g + o * pooled_row;
      const uint8_t* flags = argmax + o * pooled_row;
      const PooledRow<S> rows[2] = {{here, flags, middle ? 3 : 0}, {here - pooled_row, flags - pooled_row, 6}};
      if (middle || o == 0) unpool_row<L, 1>(rows, window, z + y * row, a, b, c, dz + (y - y0) * row);
      else unpool_row<L, 2>(rows, window, z + y * row, a, b, c, dz + (y - y0) * row);
    }
  });
}

template <class S>
void add_at_even(const S* small, int size, int channels, int y0, int y1, S* dx) {
  const int pooled = (size + 1) / 2;
  with_lanes(channels, [&]<int L>() {
    for (int y = (y0 + 1) / 2; 2 * y < y1; ++y)
      for (int x = 0; x < pooled; ++x) {
        const S* from = small + (static_cast<ptrdiff_t>(y) * pooled + x) * channels;
        S* to = dx + (static_cast<ptrdiff_t>(2 * y) * size + 2 * x) * channels;
        for (int c = 0; c < channels; c += L) store<L>(to + c, load<L>(to + c) + load<L>(from + c));
      }
  });
}

// NOLINTBEGIN(bugprone-macro-parentheses): S is a type
#define FER_FOR(S)                                                                                                                              \
  template void pool_add(const S*, const Affine&, const S*, const Affine&, int, int, int, int, S*, uint8_t*);                                   \
  template void pool_add_sums(const S*, const uint8_t*, const S*, const float*, const float*, const S*, const float*, const float*, int, int,   \
                              double*, double*, double*);                                                                                       \
  template void pool_batch_norm_backward(const S*, const uint8_t*, const S*, int, int, const float*, const float*, const float*, int, int, S*); \
  template void add_at_even(const S*, int, int, int, int, S*);
FER_FOR(float)
FER_FOR(Bf16)
#undef FER_FOR
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace fer::cpu::FER_ISA
