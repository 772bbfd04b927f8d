// How kernels see their operands: small functors (row, first of four channels) -> four values, which apply on loading what
// the fusion contract of backend.h leaves pending.
#pragma once
#include "backend.h"
#include "cuda/divisor.h"
#include "cuda/runtime.h"

namespace fer::cuda {

__device__ inline float4 load4(const float* p) { return *reinterpret_cast<const float4*>(p); }
__device__ inline void store4(float* p, float4 v) { *reinterpret_cast<float4*>(p) = v; }
__device__ inline float4 multiply_add(float4 a, float4 b, float4 c) {
  return make_float4(fmaf(a.x, b.x, c.x), fmaf(a.y, b.y, c.y), fmaf(a.z, b.z, c.z), fmaf(a.w, b.w, c.w));
}
__device__ inline float4 add(float4 a, float4 b) { return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w); }
__device__ inline float4 rectified(float4 v) { return make_float4(fmaxf(v.x, 0.f), fmaxf(v.y, 0.f), fmaxf(v.z, 0.f), fmaxf(v.w, 0.f)); }
__device__ inline float4 zero4() { return make_float4(0.f, 0.f, 0.f, 0.f); }

// A view's affine map; scale null means the values are what they are.
struct Pending {
  const float *scale, *shift;
  __device__ float4 operator()(float4 v, int c) const { return scale ? rectified(multiply_add(v, load4(scale + c), load4(shift + c))) : v; }
};
inline Pending pending(const View& view) { return view.bn ? Pending{view.bn->scale, view.bn->shift} : Pending{nullptr, nullptr}; }

// Dense [rows][channels].
struct Dense {
  const float* z;
  int channels;
  Pending map;
  __device__ float4 operator()(int row, int c) const { return map(load4(z + static_cast<size_t>(row) * channels + c), c); }
};

// The even pixels of [n][size][size][channels], row after row.
struct Even {
  const float* z;
  int size, channels;
  Pending map;
  Divisor half = (size + 1) / 2;
  __device__ float4 operator()(int row, int c) const {
    const auto [n, y, x] = position(row, half);
    return map(load4(z + ((static_cast<size_t>(n) * size + 2 * y) * size + 2 * x) * channels + c), c);
  }
};

// 3x3 windows of [n][size][size][channels] without padding; "channel" k is tap * channels + c.
struct Window {
  const float* z;
  int size, channels;
  Pending map;
  Divisor out = size - 2, by_channel = channels;
  __device__ float4 operator()(int row, int k) const {
    const auto [n, y, x] = position(row, out);
    const auto [tap, c] = by_channel(k);
    return map(load4(z + ((static_cast<size_t>(n) * size + y + tap / 3) * size + x + tap % 3) * channels + c), c);
  }
};

// dz = a * g + b * z + c of [rows][channels].
struct Gradient {
  const float *g, *z, *a, *b, *c;
  int channels;
  __device__ float4 operator()(int row, int k) const {
    const size_t at = static_cast<size_t>(row) * channels + k;
    return multiply_add(load4(a + k), load4(g + at), multiply_add(load4(b + k), load4(z + at), load4(c + k)));
  }
};
inline Gradient gradient(const Upstream& up) { return {up.g, up.z, up.bn->a, up.bn->b, up.bn->c, up.bn->channels}; }

// The same where g is the gradient of the 3x3/2 pooled output: a pixel collects it from the windows whose maximum it was.
struct PooledGradient {
  Gradient dense;
  const uint8_t* argmax;
  int size;
  Divisor by_size = size;
  __device__ float4 operator()(int row, int k) const {
    const int pad = size % 2, pooled = (size + 1) / 2, channels = dense.channels;
    const Position at_row = position(row, by_size);
    const int n = at_row.n, y = at_row.y + pad, x = at_row.x + pad;
    float4 g = zero4();
    for (int oy = max(0, (y - 1) / 2); oy <= min(pooled - 1, y / 2); ++oy)
      for (int ox = max(0, (x - 1) / 2); ox <= min(pooled - 1, x / 2); ++ox) {
        const int ky = y - 2 * oy, kx = x - 2 * ox;
        if (ky > 2 || kx > 2) continue;
        const size_t at = ((static_cast<size_t>(n) * pooled + oy) * pooled + ox) * channels + k;
        const uchar4 tap = *reinterpret_cast<const uchar4*>(argmax + at);
        const float4 from = load4(dense.g + at);
        const int here = 3 * ky + kx;
        g.x += tap.x == here ? from.x : 0.f;
        g.y += tap.y == here ? from.y : 0.f;
        g.z += tap.z == here ? from.z : 0.f;
        g.w += tap.w == here ? from.w : 0.f;
      }
    const float4 z = load4(dense.z + static_cast<size_t>(row) * channels + k);
    return multiply_add(load4(dense.a + k), g, multiply_add(load4(dense.b + k), z, load4(dense.c + k)));
  }
};

// What reaches input pixel `row` of an unpadded 3x3 convolution from its outputs; k is tap * channels + c. G: Dense or Gradient.
template <class G>
struct FullWindow {
  G dz;
  int size;  // of the input
  Divisor by_size = size, by_channel = dz.channels;
  __device__ float4 operator()(int row, int k) const {
    const int out = size - 2;
    const auto [tap, c] = by_channel(k);
    const Position of = position(row, by_size);
    const int n = of.n, x = of.x - tap % 3, y = of.y - tap / 3;
    return x < 0 || y < 0 || x >= out || y >= out ? zero4() : dz((n * out + y) * out + x, c);
  }
};

}  // namespace fer::cuda
