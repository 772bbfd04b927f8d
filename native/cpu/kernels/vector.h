// Vectors of L floats in GCC/Clang vector extensions, and the widest L of the instruction set compiled for.
#pragma once
#include <cstdint>
#include <cstring>

namespace fer::cpu::FER_ISA {

#ifdef __AVX512F__
inline constexpr int kWide = 16;
inline constexpr int kRegisters = 32;
#else
inline constexpr int kWide = 8;
inline constexpr int kRegisters = 16;
#endif

template <int L> struct VectorOf;
template <> struct VectorOf<8> {
  typedef float F __attribute__((vector_size(32)));
  typedef int32_t I __attribute__((vector_size(32)));
  typedef uint8_t B __attribute__((vector_size(8)));
};
template <> struct VectorOf<16> {
  typedef float F __attribute__((vector_size(64)));
  typedef int32_t I __attribute__((vector_size(64)));
  typedef uint8_t B __attribute__((vector_size(16)));
};
template <int L> using V = typename VectorOf<L>::F;
template <int L> using VI = typename VectorOf<L>::I;
template <int L> using VB = typename VectorOf<L>::B;

#define FER_INLINE inline __attribute__((always_inline))

template <int L> FER_INLINE V<L> load(const float* p) { V<L> v; std::memcpy(&v, p, sizeof v); return v; }
template <int L> FER_INLINE void store(float* p, V<L> v) { std::memcpy(p, &v, sizeof v); }
template <int L> FER_INLINE V<L> splat(float x) { return x - V<L>{}; }
template <int L> FER_INLINE V<L> maximum(V<L> a, V<L> b) { return a > b ? a : b; }

// Calls `body.template operator()<L>()` with the widest L that divides `channels`.
template <class Body> FER_INLINE void with_lanes(int channels, Body&& body) {
  if constexpr (kWide == 16) {
    if (channels % 16 == 0) return body.template operator()<16>();
  }
  body.template operator()<8>();
}

}  // namespace fer::cpu::FER_ISA
