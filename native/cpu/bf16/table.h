// Declarations of this instruction set's products; what each does stands in cpu/kernels.h.
#pragma once
#include "cpu/kernels.h"

namespace fer::cpu::FER_ISA {

void pack(const float* b, int k, int n, bool transposed, float* packed);
void multiply_rows(int m, int n, const Rows& a, const float* packed, float* c);
void accumulate_outer(int m, int n, const Rows& a, const float* c, float* w);

}  // namespace fer::cpu::FER_ISA
