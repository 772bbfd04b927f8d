// About twice a float's precision from floats, as most GPUs have one double-precision unit for 32 or 64 of single precision: the
// unevaluated sum of two floats (Knuth, The Art of Computer Programming 2, 4.2.2, theorems A to C).
#pragma once
#include "cuda/runtime.h"

namespace fer::cuda {

struct FloatFloat {
  float high, low;

  __device__ FloatFloat& operator+=(float v) {
    const float sum = high + v, part = sum - high;
    low += (high - (sum - part)) + (v - part);
    high = sum;
    return *this;
  }
  __device__ float value() const { return high + low; }
};

__device__ inline FloatFloat quotient(const FloatFloat& a, float b) {
  const float sum = a.value(), rest = a.low - (sum - a.high), high = sum / b;
  return {high, (fmaf(-high, b, sum) + rest) / b};
}

// a - b * b
__device__ inline float minus_square(const FloatFloat& a, const FloatFloat& b) {
  const float square = __fmul_rn(b.high, b.high);  // not to be contracted: the next line is its rounding error
  const float error = fmaf(b.high, b.high, -square) + 2.f * b.high * b.low;
  return (a.high - square) + (a.low - error);
}

}  // namespace fer::cuda
