// Declarations of this instruction set's kernels; what each does stands in cpu/kernels.h.
#pragma once
#include "cpu/kernels.h"

namespace fer::cpu::FER_ISA {

void pack(const float* b, int k, int n, bool transposed, float* packed);
void multiply_rows(int m, int n, const Rows& a, const float* packed, float* c);
void accumulate_outer(int m, int n, const Rows& a, const float* c, float* w);
void rounded_pack(const float* b, int k, int n, bool transposed, float* packed);
void rounded_multiply_rows(int m, int n, const Rows& a, const float* packed, float* c);
void rounded_accumulate_outer(int m, int n, const Rows& a, const float* c, float* w);
void apply(const float* in, ptrdiff_t count, int channels, const Affine&, float* out);
void column_sums(const float* z, ptrdiff_t count, int channels, double* sum, double* square);
void depthwise(const float* in, int size, int channels, const Affine&, const float* weight, float* ring, const float* zeros, int y0, int y1,
               float* out);
void depthwise_weight_gradient(const float* in, int size, int channels, const Affine&, const float* d_out, float* ring, const float* zeros, int y0,
                               int y1, float* d_weight);
void batch_norm_backward(const float* g, const float* z, ptrdiff_t count, int channels, const float* a, const float* b, const float* c, float* dz);
void pool_batch_norm_backward(const float* g, const uint8_t* argmax, const float* z, int size, int channels, const float* a, const float* b,
                              const float* c, int y0, int y1, float* dz);
void mask_and_sum(float* dx, const float* z, ptrdiff_t count, int channels, const float* scale, const float* shift, const float* mean,
                  const float* inv_std, double* sum, double* sum_hat);
void pool_add(const float* main, const Affine& main_affine, const float* shortcut, const Affine& shortcut_affine, int size, int channels, int y0,
              int y1, float* out, uint8_t* argmax);
void pool_add_sums(const float* g, const uint8_t* argmax, const float* main, const float* main_mean, const float* main_inv_std, const float* shortcut,
                   const float* shortcut_mean, const float* shortcut_inv_std, int size, int channels, double* sum, double* sum_main,
                   double* sum_shortcut);
void add_at_even(const float* small, int size, int channels, int y0, int y1, float* dx);

}  // namespace fer::cpu::FER_ISA
