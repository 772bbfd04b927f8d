// A CUDA run time on the CPU, for tests: memory is host memory, a stream runs its work at once, and a kernel runs block by
// block with every CUDA thread a fibre, so that __syncthreads means what it says. Captured graphs are recorded launches.
// Found in place of NVIDIA's header where FER_CUDA_ON_HOST is defined.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
struct float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(4) uchar4 { unsigned char x, y, z, w; };
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) { return {x, y, z, w}; }

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(threads)
#define __shared__ static thread_local  // blocks run one after another, so one copy a host thread is right

enum cudaError_t { cudaSuccess = 0, cudaErrorMemoryAllocation = 2, cudaErrorInvalidDevice = 101, cudaErrorStreamCaptureInvalidated = 901 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal };
inline constexpr unsigned cudaStreamNonBlocking = 1;
struct cudaDeviceProp { char name[256]; int major, minor; };

namespace cuda_on_host {

struct Stream;
struct Graph;

// The test's hands on the pretended machine.
struct Machine {
  int devices = 1, multiprocessors = 3;
  size_t free_bytes = size_t{8} << 30;  // allocations beyond it fail
  bool reversed = false;                // runs threads and blocks backwards: a result that changes has a race
  int64_t launches = 0, graph_launches = 0, synchronisations = 0;
};
Machine& machine();

extern constinit thread_local dim3 thread_index, block_index, block_size, grid_size;
void synchronise_threads();

// What the lanes of a warp show one another in a collective: begin, write slots[lane], end, read the others'.
struct WarpSlots { uint32_t words[32][8]; };
struct WarpMemory { WarpSlots sets[2]; };
WarpSlots& begin_collective();
void end_collective();
unsigned lane();
void run_kernel(Stream* stream, dim3 grid, dim3 block, std::function<void()> thread);

}  // namespace cuda_on_host

using cudaStream_t = cuda_on_host::Stream*;
using cudaGraph_t = cuda_on_host::Graph*;
using cudaGraphExec_t = cuda_on_host::Graph*;

#define threadIdx cuda_on_host::thread_index
#define blockIdx cuda_on_host::block_index
#define blockDim cuda_on_host::block_size
#define gridDim cuda_on_host::grid_size

inline void __syncthreads() { cuda_on_host::synchronise_threads(); }
inline void __threadfence() {}
inline float __shfl_xor_sync(unsigned, float value, int mask) {
  cuda_on_host::WarpSlots& slots = cuda_on_host::begin_collective();
  const unsigned lane = cuda_on_host::lane();
  std::memcpy(&slots.words[lane][0], &value, sizeof value);
  cuda_on_host::end_collective();
  std::memcpy(&value, &slots.words[lane ^ static_cast<unsigned>(mask)][0], sizeof value);
  return value;
}
inline float __ldcg(const float* p) { return *p; }
inline unsigned atomicAdd(unsigned* counter, unsigned value) {
  const unsigned before = *counter;
  *counter += value;
  return before;
}
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }

const char* cudaGetErrorString(cudaError_t);
const char* cudaGetErrorName(cudaError_t);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device);
cudaError_t cudaMalloc(void** memory, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);

namespace fer::cuda {

template <class... P, class... A>
void launch(const char*, void (*kernel)(P...), dim3 grid, dim3 block, cudaStream_t stream, A&&... arguments) {
  [&](P... values) {
    cuda_on_host::run_kernel(stream, grid, block, [=] { kernel(values...); });
  }(static_cast<P>(arguments)...);
}

}  // namespace fer::cuda
