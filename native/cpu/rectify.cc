// ReLU of a gradient, in place.
#include <algorithm>

#include "cpu/cpu_backend.h"

namespace fer::cpu {

void CpuBackend::run(const Rectify& op) {
  for (size_t i = 0; i < op.count; ++i) op.values[i] = std::max(op.values[i], 0.f);
}

}  // namespace fer::cpu
