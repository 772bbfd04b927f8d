// Memory of the CPU backend: on a cache line, large pieces on huge pages.
#pragma once
#include <cstddef>
#include <memory>

namespace fer::cpu {

// Freed by std::free. Throws ERR_FER_OUT_OF_MEMORY.
void* aligned(size_t bytes);

struct FreeFloats {
  void operator()(float* p) const;
};
using Floats = std::unique_ptr<float, FreeFloats>;
inline Floats make_floats(size_t count) { return Floats(static_cast<float*>(aligned(count * sizeof(float)))); }

}  // namespace fer::cpu
