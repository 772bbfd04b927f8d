// Picks the kernels of the best instruction set this processor has.
#include "cpu/kernels.h"

namespace fer::cpu {

const Kernels& best_kernels() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
    return v4::kernels();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) return v3::kernels();
  return v2::kernels();
}

}  // namespace fer::cpu
