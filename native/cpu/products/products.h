// Products of float32, and of bf16 in software, of this instruction set; what each does stands in cpu/kernels.h.
#pragma once
#include "cpu/kernels.h"

namespace fer::cpu::FER_ISA {

// matrix.cc: float32; rounded_matrix.cc: bf16 in software.
void pack(const float* b, int k, int n, bool transposed, int first, int end, float* packed);
void multiply_rows(int m, int n, const Rows& a, const float* packed, float* c);
void accumulate_outer(int m, int n, const Rows& a, const float* c, float* w);
void rounded_pack(const float* b, int k, int n, bool transposed, int first, int end, float* packed);
template <class S, class C>
void rounded_multiply_rows(int m, int n, const RowsOf<S>& a, const float* packed, C* c);
template <class S>
void rounded_accumulate_outer(int m, int n, const RowsOf<S>& a, const S* c, float* w);

}  // namespace fer::cpu::FER_ISA
