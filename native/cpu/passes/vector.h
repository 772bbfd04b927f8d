// Vectors of L floats in GCC/Clang vector extensions, and the widest L of the instruction set compiled for.
#pragma once
#include <cstdint>
#include <cstring>

#include "cpu/kernels.h"

#if defined(__x86_64__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"  // clang has no such warning
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"     // false, in GCC 12's own header; likewise the next
#pragma GCC diagnostic ignored "-Wuninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif

namespace fer::cpu::FER_ISA {

#ifdef __AVX512F__
inline constexpr int kWide = 16;
inline constexpr int kRegisters = 32;
#else
inline constexpr int kWide = 8;
inline constexpr int kRegisters = 16;  // NEON's 32 of 128 bits are 16 pairs
#endif

template <int L>
struct VectorOf;
template <>
struct VectorOf<8> {
  typedef float F __attribute__((vector_size(32)));
  typedef int32_t I __attribute__((vector_size(32)));
  typedef uint8_t B __attribute__((vector_size(8)));
  typedef uint16_t H __attribute__((vector_size(16)));
};
template <>
struct VectorOf<16> {
  typedef float F __attribute__((vector_size(64)));
  typedef int32_t I __attribute__((vector_size(64)));
  typedef uint8_t B __attribute__((vector_size(16)));
  typedef uint16_t H __attribute__((vector_size(32)));
};
template <int L>
using V = typename VectorOf<L>::F;
template <int L>
using VI = typename VectorOf<L>::I;
template <int L>
using VB = typename VectorOf<L>::B;

#define FER_INLINE inline __attribute__((always_inline))

template <int L>
FER_INLINE V<L> load(const float* p) {
  V<L> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <int L>
FER_INLINE void store(float* p, V<L> v) {
  std::memcpy(p, &v, sizeof v);
}

// bf16: to the nearest, ties to even, denormals to zero, as the processors' instructions have it.
template <int L>
FER_INLINE VI<L> upper_halves(V<L> v) {
  const VI<L> bits = (VI<L>)v, magnitude = bits & 0x7fffffff;
  const VI<L> nearest = bits + ((bits >> 16 & 1) + 0x7fff);
  const VI<L> kept = magnitude > 0x7f800000 ? bits | 0x400000 : nearest;  // a NaN stays one
  return (magnitude < 0x800000 ? bits & static_cast<int32_t>(0x80000000u) : kept) >> 16;
}
template <int L>
FER_INLINE V<L> load(const Bf16* p) {
#if defined(__AVX512F__)
  if constexpr (L == 16) return (V<L>)_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))), 16);
#endif
#if defined(__AVX2__)
  if constexpr (L == 8) return (V<L>)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), 16);
#endif
  typename VectorOf<L>::H h;
  std::memcpy(&h, p, sizeof h);
  return (V<L>)(__builtin_convertvector(h, VI<L>) << 16);
}
template <int L>
FER_INLINE void store(Bf16* p, V<L> v) {
#if defined(__AVX512BF16__)
  if constexpr (L == 16) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), (__m256i)_mm512_cvtneps_pbh((__m512)v));
  if constexpr (L == 8) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), (__m128i)_mm256_cvtneps_pbh((__m256)v));
#elif defined(__AVX512VL__)
  if constexpr (L == 16) return _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16((__m512i)upper_halves<L>(v)));
  if constexpr (L == 8) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtepi32_epi16((__m256i)upper_halves<L>(v)));
#endif
  const typename VectorOf<L>::H h = __builtin_convertvector(upper_halves<L>(v), typename VectorOf<L>::H);
  std::memcpy(p, &h, sizeof h);
}

template <int L>
FER_INLINE V<L> splat(float x) {
  return x - V<L>{};
}
template <int L>
FER_INLINE V<L> maximum(V<L> a, V<L> b) {
  return a > b ? a : b;
}

// Bytes as integers and back. The x86 instructions by name, because GCC 12 makes __builtin_convertvector a scalar loop.
template <int L>
FER_INLINE VI<L> load_bytes(const uint8_t* p) {
#if defined(__AVX2__)
  if constexpr (L == 8) return (VI<L>)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
#endif
#if defined(__AVX512F__)
  if constexpr (L == 16) return (VI<L>)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#endif
  VB<L> b;
  std::memcpy(&b, p, sizeof b);
  return __builtin_convertvector(b, VI<L>);
}
template <int L>
FER_INLINE void store_bytes(uint8_t* p, VI<L> v) {
#if defined(__AVX512VL__)
  if constexpr (L == 8) return _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm256_cvtepi32_epi8((__m256i)v));
  if constexpr (L == 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8((__m512i)v));
#endif
  const VB<L> b = __builtin_convertvector(v, VB<L>);
  std::memcpy(p, &b, sizeof b);
}

// Asks for the cache lines of `count` values, ahead of a walk that hops between rows and leaves the hardware's prefetcher behind.
template <class S>
FER_INLINE void prefetch(const S* p, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i += 64 / static_cast<ptrdiff_t>(sizeof(S))) __builtin_prefetch(p + i, 0, 2);
}

// Calls `body.template operator()<L>()` with the widest L that divides `channels`.
template <class Body>
FER_INLINE void with_lanes(int channels, Body&& body) {
  if constexpr (kWide == 16) {
    if (channels % 16 == 0) return body.template operator()<16>();
  }
  body.template operator()<8>();
}

}  // namespace fer::cpu::FER_ISA
