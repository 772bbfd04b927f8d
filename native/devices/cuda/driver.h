// The NVIDIA driver, asked directly: it is opened at run time, and only when somebody wants a GPU.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace fer::cuda {

struct Gpu {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  size_t memory_bytes = 0;
};

struct Driver {
  bool present = false;
  int version = 0;        // the newest CUDA it runs, such as 12040; 0: it did not say
  std::vector<Gpu> gpus;  // in the order of their numbers
  std::string problem;    // why no GPU can be used and what to do, a sentence; empty: all is well
  std::string version_text() const { return std::to_string(version / 1000) + '.' + std::to_string(version % 1000 / 10); }
};

// Starts the driver. Never throws.
Driver probe_driver();

}  // namespace fer::cuda
