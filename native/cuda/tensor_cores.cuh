// The number formats tensor cores multiply in, and their multiply-add of a warp: c (16 x 8) += a (16 x k) * b (k x 8), with a, b
// rounded and c float32. One 32-bit word holds one tf32 or two neighbouring bf16 along k, and counted in words both formats
// have the same fragments. Lane l, with g = l / 4 and t = l % 4, holds (PTX ISA, "Matrix fragments for mma.m16n8k8", "m16n8k16")
//   a: (row g, word t), (g + 8, t), (g, t + 4), (g + 8, t + 4)     b: (word t, column g), (t + 4, g)
//   c: (row g, columns 2t, 2t + 1), (g + 8, 2t, 2t + 1)
#pragma once
#include "cuda/loaders.cuh"

namespace fer::cuda {

#if defined(FER_CUDA_ON_HOST) || (defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800)
constexpr bool kTensorCores = true;
#else
constexpr bool kTensorCores = false;  // compute capability 7.5 knows neither format
#endif

#ifndef FER_CUDA_ON_HOST
__device__ inline uint32_t to_tf32(float v) {  // 10 bits of mantissa; ties away from zero
  uint32_t word;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(word) : "f"(v));
  return word;
}
__device__ inline uint32_t to_bf16_pair(float low, float high) {  // 7 bits of mantissa; ties to even
  uint32_t word;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
  return word;
}
__device__ inline void multiply_add_tf32(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ inline void multiply_add_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#endif

// `along`: four words of one row from values that follow one another along k. `across`: one word each of four rows, from the
// values of those rows at each k of the word.
struct Tf32 {
  static constexpr int kPerWord = 1;
  __device__ static uint4 along(const float4 (&v)[1]) { return make_uint4(to_tf32(v[0].x), to_tf32(v[0].y), to_tf32(v[0].z), to_tf32(v[0].w)); }
  __device__ static uint4 across(const float4 (&v)[1]) { return along(v); }
  __device__ static void multiply(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { multiply_add_tf32(c, a, b); }
};
struct Bf16 {
  static constexpr int kPerWord = 2;
  __device__ static uint4 along(const float4 (&v)[2]) {
    return make_uint4(to_bf16_pair(v[0].x, v[0].y), to_bf16_pair(v[0].z, v[0].w), to_bf16_pair(v[1].x, v[1].y), to_bf16_pair(v[1].z, v[1].w));
  }
  __device__ static uint4 across(const float4 (&v)[2]) {
    return make_uint4(to_bf16_pair(v[0].x, v[1].x), to_bf16_pair(v[0].y, v[1].y), to_bf16_pair(v[0].z, v[1].z), to_bf16_pair(v[0].w, v[1].w));
  }
  __device__ static void multiply(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { multiply_add_bf16(c, a, b); }
};

}  // namespace fer::cuda
