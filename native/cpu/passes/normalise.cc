// Batch norm's passes over memory: apply, sums, backward, each a single sweep.
#include <algorithm>

#include "cpu/passes/passes.h"
#include "cpu/passes/vector.h"

namespace fer::cpu::FER_ISA {

template <class S>
void apply(const S* in, ptrdiff_t count, int channels, const Affine& affine, S* out) {
  with_lanes(channels, [&]<int L>() {
    const V<L> floor = splat<L>(affine.relu ? 0.f : -__builtin_inff());
    for (int c = 0; c < channels; c += L) {
      const V<L> scale = load<L>(affine.scale + c), shift = load<L>(affine.shift + c);
      for (ptrdiff_t i = 0, at = c; i < count; ++i, at += channels) store<L>(out + at, maximum<L>(load<L>(in + at) * scale + shift, floor));
    }
  });
}

namespace {
inline constexpr ptrdiff_t kBlock = 64;  // rows summed in float before the double takes over

template <int L>
FER_INLINE void add_to(double* total, V<L> v) {
  for (int i = 0; i < L; ++i) total[i] += v[i];
}
}  // namespace

template <class S>
void column_sums(const S* z, ptrdiff_t count, int channels, double* sum, double* square) {
  with_lanes(channels, [&]<int L>() {
    for (ptrdiff_t block = 0; block < count; block += kBlock)
      for (int c = 0; c < channels; c += L) {
        V<L> s{}, q{};
        for (ptrdiff_t i = block, end = std::min(count, block + kBlock); i < end; ++i) {
          const V<L> v = load<L>(z + i * channels + c);
          s += v;
          q += v * v;
        }
        add_to<L>(sum + c, s);
        add_to<L>(square + c, q);
      }
  });
}

template <class S>
void batch_norm_backward(const S* g, const S* z, ptrdiff_t count, int channels, const float* a, const float* b, const float* c, S* dz) {
  with_lanes(channels, [&]<int L>() {
    for (int k = 0; k < channels; k += L) {
      const V<L> va = load<L>(a + k), vb = load<L>(b + k), vc = load<L>(c + k);
      for (ptrdiff_t i = 0, at = k; i < count; ++i, at += channels) store<L>(dz + at, va * load<L>(g + at) + (vb * load<L>(z + at) + vc));
    }
  });
}

template <class S>
void mask_and_sum(S* dx, const S* z, ptrdiff_t count, int channels, const float* scale, const float* shift, const float* mean, const float* inv_std,
                  double* sum, double* sum_hat) {
  with_lanes(channels, [&]<int L>() {
    for (ptrdiff_t block = 0; block < count; block += kBlock)
      for (int c = 0; c < channels; c += L) {
        const V<L> sc = load<L>(scale + c), sh = load<L>(shift + c), mu = load<L>(mean + c);
        V<L> s{}, q{};
        for (ptrdiff_t i = block, end = std::min(count, block + kBlock); i < end; ++i) {
          S* p = dx + i * channels + c;
          const V<L> v = load<L>(z + i * channels + c);
          const V<L> d = v * sc + sh > V<L>{} ? load<L>(p) : V<L>{};
          store<L>(p, d);
          s += d;
          q += d * (v - mu);
        }
        add_to<L>(sum + c, s);
        add_to<L>(sum_hat + c, q * load<L>(inv_std + c));
      }
  });
}

namespace {
template <class In, class Out>
void convert(const In* in, ptrdiff_t count, Out* out) {
  ptrdiff_t i = 0;
  for (; i + 8 <= count; i += 8) store<8>(out + i, load<8>(in + i));
  if (i == count) return;
  In in_rest[8] = {};
  Out out_rest[8];
  std::copy(in + i, in + count, in_rest);
  store<8>(out_rest, load<8>(in_rest));
  std::copy(out_rest, out_rest + (count - i), out + i);
}
}  // namespace

template <class S>
void widen(const S* in, ptrdiff_t count, float* out) {
  convert(in, count, out);
}

template <class S>
void narrow(const float* in, ptrdiff_t count, S* out) {
  convert(in, count, out);
}

// NOLINTBEGIN(bugprone-macro-parentheses): S is a type
#define FER_FOR(S)                                                                                                                    \
  template void apply(const S*, ptrdiff_t, int, const Affine&, S*);                                                                   \
  template void column_sums(const S*, ptrdiff_t, int, double*, double*);                                                              \
  template void batch_norm_backward(const S*, const S*, ptrdiff_t, int, const float*, const float*, const float*, S*);                \
  template void mask_and_sum(S*, const S*, ptrdiff_t, int, const float*, const float*, const float*, const float*, double*, double*); \
  template void widen(const S*, ptrdiff_t, float*);                                                                                   \
  template void narrow(const float*, ptrdiff_t, S*);
FER_FOR(float)
FER_FOR(Bf16)
#undef FER_FOR
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace fer::cpu::FER_ISA
