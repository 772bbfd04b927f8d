// The CPU backend's inner loops, compiled once per instruction set (FER_ISA) into a namespace of its name: passes/ and products/ for
// v2 = SSE4, v3 = AVX2 + FMA, v4 = AVX-512 and neon on ARM, passes/ and bf16/ for avx512_bf16 and amx_bf16. instruction_sets.h picks at
// run time. All channel counts are multiples of 8.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fer::cpu {

// The upper half of a float. Activations and gradients between ops may lie in memory so: half the bytes for every pass over them.
struct Bf16 {
  uint16_t bits;
};

// Rows of A for the matrix kernels: `segments` pieces of `k` contiguous values a row, rows `stride` apart.
// A pointwise convolution has one segment, a 3x3 convolution three (its input rows).
template <class T>
struct RowsOf {
  const T* segment[3];
  int segments;
  int k;
  ptrdiff_t stride;
};
using Rows = RowsOf<float>;

struct Affine {  // null scale: the identity
  const float* scale;
  const float* shift;
  bool relu;
};

// Kernels over activations and gradients stored as S: float or Bf16.
template <class S>
struct KernelsOf {
  // C [m][n] (row stride n) = A [m][segments * k] times packed B.
  void (*multiply_rows)(int m, int n, const RowsOf<S>& a, const float* packed, S* c);
  // The same into floats, whatever S is.
  void (*multiply_rows_to_floats)(int m, int n, const RowsOf<S>& a, const float* packed, float* c);
  // W [segments * k][n] += A^T times C [m][n].
  void (*accumulate_outer)(int m, int n, const RowsOf<S>& a, const S* c, float* w);

  // out [count][channels] = affine(in).
  void (*apply)(const S* in, ptrdiff_t count, int channels, const Affine&, S* out);
  // Adds the column sums of z and z*z over `count` rows to sum and square.
  void (*column_sums)(const S* z, ptrdiff_t count, int channels, double* sum, double* square);

  // Depthwise 3x3, zero-padded, rows [y0, y1) of one image [size][size][channels]; `out` is where row y0 goes.
  // ring: 3 rows of scratch, zeros: one row of zeros.
  void (*depthwise)(const S* in, int size, int channels, const Affine&, const float* weight, float* ring, const float* zeros, int y0, int y1, S* out);
  // The same of floats: of a gradient on its way back.
  void (*depthwise_of_floats)(const float* in, int size, int channels, const Affine&, const float* weight, float* ring, const float* zeros, int y0,
                              int y1, S* out);
  // Adds the weight gradient [9][channels] of output rows [y0, y1); `d_out` begins at row y0.
  void (*depthwise_weight_gradient)(const S* in, int size, int channels, const Affine&, const float* d_out, float* ring, const float* zeros, int y0,
                                    int y1, float* d_weight);

  // dz = a * g + b * z + c over `count` rows.
  void (*batch_norm_backward)(const S* g, const S* z, ptrdiff_t count, int channels, const float* a, const float* b, const float* c, S* dz);
  // Same with g scattered from its pooled form, rows [y0, y1) of one image; `dz` is where row y0 goes.
  void (*pool_batch_norm_backward)(const S* g, const uint8_t* argmax, const S* z, int size, int channels, const float* a, const float* b,
                                   const float* c, int y0, int y1, S* dz);
  // dx *= (z * scale + shift > 0); adds sums of dx and of dx * (z - mean) * inv_std.
  void (*mask_and_sum)(S* dx, const S* z, ptrdiff_t count, int channels, const float* scale, const float* shift, const float* mean,
                       const float* inv_std, double* sum, double* sum_hat);
  // One image, output rows [y0, y1): out = max pool(affine main) + affine shortcut; argmax may be null.
  void (*pool_add)(const S* main, const Affine& main_affine, const S* shortcut, const Affine& shortcut_affine, int size, int channels, int y0, int y1,
                   S* out, uint8_t* argmax);
  // One image: adds sums of g, g * main_hat (at the maxima) and g * shortcut_hat.
  void (*pool_add_sums)(const S* g, const uint8_t* argmax, const S* main, const float* main_mean, const float* main_inv_std, const S* shortcut,
                        const float* shortcut_mean, const float* shortcut_inv_std, int size, int channels, double* sum, double* sum_main,
                        double* sum_shortcut);
  // dx [size][size][c] += small [(size+1)/2][(size+1)/2][c] at the even pixels of rows [y0, y1).
  void (*add_at_even)(const S* small, int size, int channels, int y0, int y1, S* dx);
  // Values as floats, and back.
  void (*widen)(const S* in, ptrdiff_t count, float* out);
  void (*narrow)(const float* in, ptrdiff_t count, S* out);
};

struct Kernels : KernelsOf<float> {
  KernelsOf<Bf16> half;
  const char* name;
  bool rounds_factors;      // precision bf16; such kernels may be given activations as Bf16
  bool rounds_in_software;  // without instructions for it
  // B [k][n] (or its transpose, stored [n][k]) as the products read it, packed_size(k, n) floats: the part of it that columns
  // [first, end) make, `first` a multiple of 32.
  void (*pack)(const float* b, int k, int n, bool transposed, int first, int end, float* packed);
};

// Whether kernels of precision bf16 round the factors of a product with B [k][n]; a smaller one stays in float32, in which it is
// faster, whatever the instruction set. A weight gradient W [k][n] likewise.
constexpr bool worth_bf16(int k, int n) { return k >= 16 && n >= 16; }

// Floats that B [k][n] takes when packed, by any of the kernels: bf16 operands are cut into pieces of 32 x 16 values.
constexpr size_t packed_size(int k, int n) {
  const size_t depth = static_cast<size_t>(k + 31) / 32 * 32, width = static_cast<size_t>(n + 15) / 16 * 16;
  return depth * width / 2 > static_cast<size_t>(k) * n ? depth * width / 2 : static_cast<size_t>(k) * n;
}

// Where column `first` begins in B [k][n] as these kernels packed it; both are multiples of 32.
inline const float* packed_from(const Kernels& kernels, const float* packed, int k, int n, int first) {
  const bool tiles = kernels.rounds_factors && !kernels.rounds_in_software && worth_bf16(k, n);
  return packed + (tiles ? static_cast<size_t>(k + 31) / 32 * 32 * first / 2 : static_cast<size_t>(k) * first);
}

// clang-format off
namespace v2 { const Kernels &kernels(), &bf16_kernels(); }
namespace v3 { const Kernels &kernels(), &bf16_kernels(); }
namespace v4 { const Kernels &kernels(), &bf16_kernels(); }
namespace neon { const Kernels &kernels(), &bf16_kernels(); }
namespace avx512_bf16 { const Kernels& bf16_kernels(); }
namespace amx_bf16 { const Kernels& bf16_kernels(); }
// clang-format on

}  // namespace fer::cpu
