// NVIDIA's header, and the tests' hands on the pretended machine, as native/test/cuda_on_host/cuda_runtime.h has them.
#pragma once
#include_next <cuda_runtime.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace cuda_on_host {

using Stream = CUstream_st;
struct Machine {
  int devices = 1, multiprocessors = 3, compute_capability_major = 9;
  size_t free_bytes = size_t{8} << 30;
  bool reversed = false;
  std::vector<std::string>* launched = nullptr;
  std::atomic<int64_t> launches{0}, graph_launches{0}, synchronisations{0};
};
Machine& machine();
void submit(cudaStream_t stream, std::function<void()> work);
[[noreturn]] void misuse(const std::string& what);
void refuse_while_capturing(const char* call);

}  // namespace cuda_on_host
