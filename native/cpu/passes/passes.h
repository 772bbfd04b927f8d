// This instruction set's kernels that are no products, for S = float and Bf16; what each does stands in cpu/kernels.h.
#pragma once
#include "cpu/kernels.h"

namespace fer::cpu::FER_ISA {

template <class S>
void apply(const S* in, ptrdiff_t count, int channels, const Affine&, S* out);
template <class S>
void column_sums(const S* z, ptrdiff_t count, int channels, double* sum, double* square);
template <class In, class S>
void depthwise(const In* in, int size, int channels, const Affine&, const float* weight, float* ring, const float* zeros, int y0, int y1, S* out);
template <class S>
void depthwise_weight_gradient(const S* in, int size, int channels, const Affine&, const float* d_out, float* ring, const float* zeros, int y0,
                               int y1, float* d_weight);
template <class S>
void batch_norm_backward(const S* g, const S* z, ptrdiff_t count, int channels, const float* a, const float* b, const float* c, S* dz);
template <class S>
void pool_batch_norm_backward(const S* g, const uint8_t* argmax, const S* z, int size, int channels, const float* a, const float* b, const float* c,
                              int y0, int y1, S* dz);
template <class S>
void mask_and_sum(S* dx, const S* z, ptrdiff_t count, int channels, const float* scale, const float* shift, const float* mean, const float* inv_std,
                  double* sum, double* sum_hat);
template <class S>
void pool_add(const S* main, const Affine& main_affine, const S* shortcut, const Affine& shortcut_affine, int size, int channels, int y0, int y1,
              S* out, uint8_t* argmax);
template <class S>
void pool_add_sums(const S* g, const uint8_t* argmax, const S* main, const float* main_mean, const float* main_inv_std, const S* shortcut,
                   const float* shortcut_mean, const float* shortcut_inv_std, int size, int channels, double* sum, double* sum_main,
                   double* sum_shortcut);
template <class S>
void add_at_even(const S* small, int size, int channels, int y0, int y1, S* dx);
template <class S>
void widen(const S* in, ptrdiff_t count, float* out);
template <class S>
void narrow(const float* in, ptrdiff_t count, S* out);

// A table of them, without products.
template <class S>
constexpr KernelsOf<S> passes() {
  KernelsOf<S> table{};
  table.apply = apply<S>;
  table.column_sums = column_sums<S>;
  table.depthwise = depthwise<S, S>;
  table.depthwise_of_floats = depthwise<float, S>;
  table.depthwise_weight_gradient = depthwise_weight_gradient<S>;
  table.batch_norm_backward = batch_norm_backward<S>;
  table.pool_batch_norm_backward = pool_batch_norm_backward<S>;
  table.mask_and_sum = mask_and_sum<S>;
  table.pool_add = pool_add<S>;
  table.pool_add_sums = pool_add_sums<S>;
  table.add_at_even = add_at_even<S>;
  table.widen = widen<S>;
  table.narrow = narrow<S>;
  return table;
}

}  // namespace fer::cpu::FER_ISA
