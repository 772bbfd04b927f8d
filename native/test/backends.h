// The backends under test: every device of the registry that this machine has, the instruction sets of the CPU, and the CUDA
// kernels on the host.
#pragma once
#include <cmath>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "backend.h"

namespace fer {

struct TestBackend {
  std::string name;
  std::function<std::unique_ptr<Backend>()> make;
  double tolerance = 2e-5;               // of an op's result
  bool half = false;                     // ops are given activations as bf16
  double most_multiply_adds = INFINITY;  // of a training that is worth running on it
};
std::ostream& operator<<(std::ostream& out, const TestBackend& backend);

std::vector<TestBackend> op_backends();       // for tests of single ops: all of them
std::vector<TestBackend> network_backends();  // for tests of whole networks: one of a kind, float32

// The CUDA backend on the host; `cudnn`: the whole network by the pretended cuDNN.
std::unique_ptr<Backend> cuda_on_host_backend(Precision precision = Precision::kFp32, bool cudnn = false);

}  // namespace fer
