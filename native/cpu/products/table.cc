// The tables of an instruction set: float32, and bf16 in software.
#include "cpu/passes/passes.h"
#include "cpu/products/products.h"

namespace fer::cpu::FER_ISA {
namespace {

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
