// The head: nine windowed means of the image, times the weights.
#include <algorithm>

#include "cpu/cpu_backend.h"
#include "cpu/scratch_slots.h"

namespace fer::cpu {
namespace {

template <class S>
const float* floats_of(const KernelsOf<S>& k, const S* values, size_t count, float* room) {
  if constexpr (std::is_same_v<S, float>) return values;
  k.widen(values, static_cast<ptrdiff_t>(count), room);
  return room;
}

}  // namespace

void CpuBackend::run(const HeadForward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const HeadForward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const size_t image = static_cast<size_t>(s.size) * s.size * s.in_channels, tap_row = static_cast<size_t>(9) * s.in_channels;
  const float per = 1.f / static_cast<float>(s.size * s.size);
  const float* b = packed_once(op.weight, 9 * s.in_channels, s.out_channels);
  pool_.run([&](int t) {
    const Slice images = slice(s.n, t);
    for (int i = images.begin; i < images.end; ++i) {
      const float* x = floats_of(k, stored<S>(op.x) + i * image, image, scratch_[t].floats(kInput, image));
      for (int tap = 0; tap < 9; ++tap) {
        // Tap (ky, kx) of the padded convolution sees rows ky-1 .. size-2+ky, cut at the border.
        float* sum = op.taps + i * tap_row + static_cast<size_t>(tap) * s.in_channels;
        std::fill_n(sum, s.in_channels, 0.f);
        const int y0 = std::max(tap / 3 - 1, 0), y1 = std::min(s.size - 1 + tap / 3, s.size);
        const int x0 = std::max(tap % 3 - 1, 0), x1 = std::min(s.size - 1 + tap % 3, s.size);
        for (int y = y0; y < y1; ++y)
          for (int xx = x0; xx < x1; ++xx) {
            const float* p = x + static_cast<size_t>(y * s.size + xx) * s.in_channels;
            for (int c = 0; c < s.in_channels; ++c) sum[c] += p[c] * per;
          }
      }
    }
    const int count = images.end - images.begin;
    float* out = op.logits + static_cast<size_t>(images.begin) * s.out_channels;
    if (count > 0)
      k_.multiply_rows(count, s.out_channels, {{op.taps + images.begin * tap_row}, 1, 9 * s.in_channels, static_cast<ptrdiff_t>(tap_row)}, b, out);
    for (int i = 0; i < count; ++i)
      for (int c = 0; c < s.out_channels; ++c) out[static_cast<size_t>(i) * s.out_channels + c] += op.bias[c];
  });
}

void CpuBackend::run(const HeadBackward& op) { op.shape.half ? run_as<Bf16>(op) : run_as<float>(op); }

template <class S>
void CpuBackend::run_as(const HeadBackward& op) {
  const KernelsOf<S>& k = kernels<S>();
  const Shape& s = op.shape;
  const int taps_row = 9 * s.in_channels;
  const size_t image = static_cast<size_t>(s.size) * s.size * s.in_channels;
  const float per = 1.f / static_cast<float>(s.size * s.size);
  const float* b = packed(op.weight, s.out_channels, taps_row, true);
  const size_t weights = static_cast<size_t>(taps_row) * s.out_channels;
  pool_.run([&](int t) {
    Scratch& scratch = scratch_[t];
    const Slice images = slice(s.n, t);
    const int count = images.end - images.begin;
    float* dw = scratch.zero_floats(kWeightGrad, weights);
    if (count == 0) return;
    const float* dl = op.d_logits + static_cast<size_t>(images.begin) * s.out_channels;
    k_.accumulate_outer(count, s.out_channels, {{op.taps + static_cast<size_t>(images.begin) * taps_row}, 1, taps_row, taps_row}, dl, dw);
    float* d_taps = scratch.floats(kGradient, static_cast<size_t>(count) * taps_row);
    k_.multiply_rows(count, taps_row, {{dl}, 1, s.out_channels, s.out_channels}, b, d_taps);
    for (int i = 0; i < count; ++i) {
      float* out = std::is_same_v<S, float> ? op.dx + (images.begin + i) * image : scratch.floats(kDepthwiseGrad, image);
      std::fill_n(out, image, 0.f);
      for (int tap = 0; tap < 9; ++tap) {
        const float* g = d_taps + static_cast<size_t>(i) * taps_row + static_cast<size_t>(tap) * s.in_channels;
        const int y0 = std::max(tap / 3 - 1, 0), y1 = std::min(s.size - 1 + tap / 3, s.size);
        const int x0 = std::max(tap % 3 - 1, 0), x1 = std::min(s.size - 1 + tap % 3, s.size);
        for (int y = y0; y < y1; ++y)
          for (int x = x0; x < x1; ++x) {
            float* p = out + static_cast<size_t>(y * s.size + x) * s.in_channels;
            for (int c = 0; c < s.in_channels; ++c) p[c] += g[c] * per;
          }
      }
      if constexpr (!std::is_same_v<S, float>) k.narrow(out, static_cast<ptrdiff_t>(image), stored<S>(op.dx) + (images.begin + i) * image);
    }
  });
  reduce_floats(kWeightGrad, weights, op.d_weight);
  std::fill_n(op.d_bias, s.out_channels, 0.f);
  for (int i = 0; i < s.n; ++i)
    for (int c = 0; c < s.out_channels; ++c) op.d_bias[c] += op.d_logits[static_cast<size_t>(i) * s.out_channels + c];
}

}  // namespace fer::cpu
