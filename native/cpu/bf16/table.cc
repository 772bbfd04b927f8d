#include "cpu/bf16/table.h"

namespace fer::cpu::FER_ISA {

const Kernels& bf16_kernels() {
  static const Kernels table = [] {
    Kernels all = v4::kernels();
    all.name = FER_ISA_NAME;
    all.pack = pack;
    all.multiply_rows = multiply_rows;
    all.accumulate_outer = accumulate_outer;
    return all;
  }();
  return table;
}

}  // namespace fer::cpu::FER_ISA
