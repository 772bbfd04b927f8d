#include "cpu/kernels/table.h"

namespace fer::cpu::FER_ISA {
namespace {

// All that is no product.
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

template <class S>
constexpr KernelsOf<S> with_rounded_products() {
  KernelsOf<S> table = passes<S>();
  table.multiply_rows = rounded_multiply_rows<S, S>;
  table.multiply_rows_to_floats = rounded_multiply_rows<S, float>;
  table.accumulate_outer = rounded_accumulate_outer<S>;
  return table;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels table = [] {
    Kernels all{passes<float>(), passes<Bf16>(), FER_ISA_NAME, false, false, pack};
    all.multiply_rows = all.multiply_rows_to_floats = multiply_rows;
    all.accumulate_outer = accumulate_outer;
    return all;
  }();
  return table;
}

const Kernels& bf16_kernels() {
  static const Kernels table{with_rounded_products<float>(), with_rounded_products<Bf16>(), kernels().name, true, true, rounded_pack};
  return table;
}

}  // namespace fer::cpu::FER_ISA
