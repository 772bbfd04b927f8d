// The run time's calls on devices and memory.
#include <cuda_runtime.h>

#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include "report.h"
#include "streams.h"

using cuda_on_host::machine;
using ptx::machine_lock;

namespace {

std::unordered_map<void*, size_t> allocated;

}  // namespace

extern "C" {

const char* cudaGetErrorString(cudaError_t e) {
  return e == cudaErrorMemoryAllocation ? "out of memory" : e == cudaSuccess ? "no error" : "invalid use";
}
const char* cudaGetErrorName(cudaError_t e) { return e == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaError"; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) { return *count = machine().devices, cudaSuccess; }
cudaError_t cudaSetDevice(int device) { return device < machine().devices ? cudaSuccess : cudaErrorInvalidDevice; }
cudaError_t cudaGetDeviceProperties_v2(cudaDeviceProp* p, int) {
  std::memset(p, 0, sizeof *p);
  std::strcpy(p->name, "CUDA on the host");
  p->major = machine().compute_capability_major;
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int, size_t) { return *blocks = 2, cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrMultiProcessorCount ? machine().multiprocessors : machine().compute_capability_major;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) { return *version = 12040, cudaSuccess; }
cudaError_t cudaMalloc(void** memory, size_t bytes) {
  cuda_on_host::refuse_while_capturing("cudaMalloc");
  const std::lock_guard lock(machine_lock());
  if (bytes > machine().free_bytes) return cudaErrorMemoryAllocation;
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*memory) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xff, bytes);
  allocated[*memory] = bytes;
  machine().free_bytes -= bytes;
  ptx::add_allocation(*memory, bytes);
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  cuda_on_host::refuse_while_capturing("cudaFree");
  const std::lock_guard lock(machine_lock());
  if (!memory) return cudaSuccess;
  const auto at = allocated.find(memory);
  if (at == allocated.end()) cuda_on_host::misuse("cudaFree of what was not allocated, or was freed before");
  ptx::synchronise_all();
  machine().free_bytes += at->second;
  ptx::remove_allocation(memory);
  allocated.erase(at);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) { return *free = machine().free_bytes, *total = size_t{8} << 30, cudaSuccess; }
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (stream && stream->capture && kind != cudaMemcpyDeviceToDevice) ptx::report("a copy from or to pageable memory is captured", "the run time", "");
  ptx::submit(stream, [=](ptx::Clock& clock) {
    ptx::touch("copy from", from, bytes, false, clock);
    ptx::touch("copy to", to, bytes, true, clock);
    std::memmove(to, from, bytes);
  });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  ptx::submit(stream, [=](ptx::Clock& clock) {
    ptx::touch("memset", memory, bytes, true, clock);
    std::memset(memory, value, bytes);
  });
  return cudaSuccess;
}

}  // extern "C"
