// Runs a kernel: block after block, in each its warps in turn from barrier to barrier.
#pragma once
#include "program.h"
#include "races.h"

namespace ptx {

struct Size3 {
  uint32_t x, y, z;
};
// `reversed`: blocks and warps the other way round. One at a time.
void launch(const Kernel& kernel, Size3 grid, Size3 block, void* const* arguments, Clock& clock, bool reversed);

}  // namespace ptx
