// Max pooling 3x3, stride 2, TensorFlow 'same' alignment, fused with the residual addition, and its backward.
// Padding at the top and left is 0 for even sizes and 1 for odd ones.
#include "cpu/kernels/table.h"
#include "cpu/kernels/vector.h"

namespace fer::cpu::FER_ISA {
namespace {

struct Window {
  int size, pooled, pad, channels;
  Window(int s, int c) : size(s), pooled((s + 1) / 2), pad(s % 2), channels(c) {}
  // Calls body(tap, offset of the input pixel) for the taps of output (y, x) inside the image.
  template <class Body> FER_INLINE void taps(int y, int x, Body&& body) const {
    for (int ky = 0; ky < 3; ++ky) {
      const int iy = 2 * y + ky - pad;
      if (iy < 0 || iy >= size) continue;
      for (int kx = 0; kx < 3; ++kx) {
        const int ix = 2 * x + kx - pad;
        if (ix < 0 || ix >= size) continue;
        body(ky * 3 + kx, (static_cast<ptrdiff_t>(iy) * size + ix) * channels);
      }
    }
  }
};

template <int L> FER_INLINE VI<L> load_bytes(const uint8_t* p) {
  VB<L> b;
  std::memcpy(&b, p, sizeof b);
  return __builtin_convertvector(b, VI<L>);
}

}  // namespace

void pool_add(const float* main, const Affine& ma, const float* shortcut, const Affine& sa, int size, int channels, float* out, uint8_t* argmax) {
  const Window window(size, channels);
  with_lanes(channels, [&]<int L>() {
    for (int y = 0; y < window.pooled; ++y)
      for (int x = 0; x < window.pooled; ++x) {
        const ptrdiff_t to = (static_cast<ptrdiff_t>(y) * window.pooled + x) * channels;
        for (int c = 0; c < channels; c += L) {
          const V<L> scale = load<L>(ma.scale + c), shift = load<L>(ma.shift + c);
          V<L> best = splat<L>(-__builtin_inff());
          VI<L> which{};
          window.taps(y, x, [&](int tap, ptrdiff_t from) {
            const V<L> v = load<L>(main + from + c) * scale + shift;
            const VI<L> greater = v > best;
            best = greater ? v : best;
            which = greater ? VI<L>{} + tap : which;
          });
          store<L>(out + to + c, best + (load<L>(shortcut + to + c) * load<L>(sa.scale + c) + load<L>(sa.shift + c)));
          if (argmax) {
            const VB<L> bytes = __builtin_convertvector(which, VB<L>);
            std::memcpy(argmax + to + c, &bytes, sizeof bytes);
          }
        }
      }
  });
}

void pool_add_sums(const float* g, const uint8_t* argmax, const float* main, const float* main_mean, const float* main_inv_std,
                   const float* shortcut, const float* shortcut_mean, const float* shortcut_inv_std, int size, int channels, double* sum,
                   double* sum_main, double* sum_shortcut) {
  const Window window(size, channels);
  with_lanes(channels, [&]<int L>() {
    for (int c = 0; c < channels; c += L) {
      const V<L> mean = load<L>(main_mean + c), s_mean = load<L>(shortcut_mean + c);
      for (int y = 0; y < window.pooled; ++y) {
        V<L> s{}, sm{}, ss{};
        for (int x = 0; x < window.pooled; ++x) {
          const ptrdiff_t at = (static_cast<ptrdiff_t>(y) * window.pooled + x) * channels + c;
          const V<L> gv = load<L>(g + at);
          const VI<L> which = load_bytes<L>(argmax + at);
          V<L> z{};
          window.taps(y, x, [&](int tap, ptrdiff_t from) { z = which == tap ? load<L>(main + from + c) : z; });
          s += gv;
          sm += gv * (z - mean);
          ss += gv * (load<L>(shortcut + at) - s_mean);
        }
        sm *= load<L>(main_inv_std + c);
        ss *= load<L>(shortcut_inv_std + c);
        for (int i = 0; i < L; ++i) {
          sum[c + i] += s[i];
          sum_main[c + i] += sm[i];
          sum_shortcut[c + i] += ss[i];
        }
      }
    }
  });
}

// By input pixel, so that dz is written once: pixel (y, x) lies in at most two windows along each axis.
void pool_batch_norm_backward(const float* g, const uint8_t* argmax, const float* z, int size, int channels, const float* a, const float* b,
                              const float* c, float* dz) {
  const Window window(size, channels);
  // Output rows whose window holds input row y: ceil((y + pad - 2) / 2) .. (y + pad) / 2.
  auto first = [&](int y) { const int t = y + window.pad - 2; return t <= 0 ? 0 : (t + 1) / 2; };
  auto last = [&](int y) { const int t = (y + window.pad) / 2; return t < window.pooled ? t : window.pooled - 1; };
  with_lanes(channels, [&]<int L>() {
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x) {
        const ptrdiff_t at = (static_cast<ptrdiff_t>(y) * size + x) * channels;
        for (int k = 0; k < channels; k += L) {
          V<L> sum{};
          for (int oy = first(y); oy <= last(y); ++oy)
            for (int ox = first(x); ox <= last(x); ++ox) {
              const int tap = (y + window.pad - 2 * oy) * 3 + (x + window.pad - 2 * ox);
              const ptrdiff_t from = (static_cast<ptrdiff_t>(oy) * window.pooled + ox) * channels + k;
              sum += load_bytes<L>(argmax + from) == tap ? load<L>(g + from) : V<L>{};
            }
          store<L>(dz + at + k, load<L>(a + k) * sum + (load<L>(b + k) * load<L>(z + at + k) + load<L>(c + k)));
        }
      }
  });
}

void add_at_even(const float* small, int size, int channels, float* dx) {
  const int pooled = (size + 1) / 2;
  with_lanes(channels, [&]<int L>() {
    for (int y = 0; y < pooled; ++y)
      for (int x = 0; x < pooled; ++x) {
        float* to = dx + (static_cast<ptrdiff_t>(2 * y) * size + 2 * x) * channels;
        for (int c = 0; c < channels; c += L) store<L>(to + c, load<L>(to + c) + load<L>(small + c));
        small += channels;
      }
  });
}

}  // namespace fer::cpu::FER_ISA
