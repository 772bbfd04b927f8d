#include "cpu/kernels/table.h"

#define FER_STRING_(x) #x
#define FER_STRING(x) FER_STRING_(x)

namespace fer::cpu::FER_ISA {

const Kernels& kernels() {
  static constexpr Kernels table = {
      "x86-64-" FER_STRING(FER_ISA),
      false,
      pack,
      multiply_rows,
      accumulate_outer,
      apply,
      column_sums,
      depthwise,
      depthwise_weight_gradient,
      batch_norm_backward,
      pool_batch_norm_backward,
      mask_and_sum,
      pool_add,
      pool_add_sums,
      add_at_even,
  };
  return table;
}

const Kernels& bf16_kernels() {
  static const Kernels table = [] {
    Kernels all = kernels();
    all.rounds_in_software = true;
    all.pack = rounded_pack;
    all.multiply_rows = rounded_multiply_rows;
    all.accumulate_outer = rounded_accumulate_outer;
    return all;
  }();
  return table;
}

}  // namespace fer::cpu::FER_ISA
