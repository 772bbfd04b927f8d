// A CUDA run time on the CPU, for tests: memory is host memory, a stream runs its work at once, and a kernel runs block by
// block with every CUDA thread a fibre, so that __syncthreads means what it says. Captured graphs are recorded launches.
// Found in place of NVIDIA's header where FER_CUDA_ON_HOST is defined.
#pragma once
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(4) uchar4 {
  unsigned char x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w) { return {x, y, z, w}; }

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define __shared__ static thread_local  // blocks run one after another, so one copy a host thread is right

enum cudaError_t { cudaSuccess = 0, cudaErrorMemoryAllocation = 2, cudaErrorInvalidDevice = 101, cudaErrorStreamCaptureInvalidated = 901 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum cudaDeviceAttr { cudaDevAttrMultiProcessorCount = 16, cudaDevAttrComputeCapabilityMajor = 75 };
enum cudaStreamCaptureStatus { cudaStreamCaptureStatusNone, cudaStreamCaptureStatusActive };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal };
inline constexpr unsigned cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2;
struct cudaDeviceProp {
  char name[256];
  int major, minor;
};

namespace cuda_on_host {

struct Stream;
struct Graph;
struct Event;

// The test's hands on the pretended machine.
struct Machine {
  int devices = 1, multiprocessors = 3, compute_capability_major = 9;
  size_t free_bytes = size_t{8} << 30;           // allocations beyond it fail
  bool reversed = false;                         // runs threads and blocks backwards: a result that changes has a race
  std::vector<std::string>* launched = nullptr;  // where the names of launched ops go
  std::atomic<int64_t> launches{0}, graph_launches{0}, synchronisations{0};
};
Machine& machine();

extern constinit thread_local dim3 thread_index, block_index, block_size, grid_size;
void synchronise_threads();

// What the lanes of a warp show one another in a collective: begin, write slots[lane], end, read the others'.
struct WarpSlots {
  uint32_t words[32][8];
};
struct WarpMemory {
  WarpSlots sets[2];
};
WarpSlots& begin_collective();
void end_collective();
unsigned lane();
void submit(Stream* stream, std::function<void()> work);  // runs now, or is recorded
// A wrong use of the run time, which a GPU might let pass or report as another call's error, ends the process.
[[noreturn]] void misuse(const std::string& what);
void refuse_while_capturing(const char* call);
void run_kernel(Stream* stream, const char* op, dim3 grid, dim3 block, std::function<void()> thread);

}  // namespace cuda_on_host

using cudaStream_t = cuda_on_host::Stream*;
using cudaEvent_t = cuda_on_host::Event*;
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
inline float __fmul_rn(float a, float b) { return a * b; }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t{a} * b >> 32); }
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
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void* kernel, int threads, size_t shared_bytes);
cudaError_t cudaMalloc(void** memory, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status);
cudaError_t cudaEventCreate(cudaEvent_t* event);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaEventSynchronize(cudaEvent_t event);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);

namespace fer::cuda {

// Tensor cores (tensor_cores.cuh says what each lane holds): operands are rounded by whoever makes them, products and sums are
// float32.
inline uint32_t to_tf32(float v) {
  uint32_t word;
  std::memcpy(&word, &v, sizeof word);
  return (word & 0x7f800000u) == 0x7f800000u ? word : (word + 0x1000u) & ~0x1fffu;
}
inline uint32_t to_bf16(float v) {
  uint32_t word;
  std::memcpy(&word, &v, sizeof word);
  return (word & 0x7fffffffu) > 0x7f800000u ? 0x7fffu : (word + 0x7fffu + (word >> 16 & 1u)) >> 16;
}
inline uint32_t to_bf16_pair(float low, float high) { return to_bf16(high) << 16 | to_bf16(low); }

template <int kPerWord>
inline void multiply_add_words(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  cuda_on_host::WarpSlots& slots = cuda_on_host::begin_collective();
  const unsigned lane = cuda_on_host::lane(), g = lane / 4, t = lane % 4;
  for (int q = 0; q < 4; ++q) slots.words[lane][q] = a[q];
  for (int q = 0; q < 2; ++q) slots.words[lane][4 + q] = b[q];
  cuda_on_host::end_collective();
  auto value = [](uint32_t word, int p) {
    const uint32_t bits = kPerWord == 1 ? word : p == 0 ? word << 16 : word & 0xffff0000u;
    float v;
    std::memcpy(&v, &bits, sizeof v);
    return v;
  };
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = g + i / 2 * 8, column = 2 * t + i % 2;
    for (unsigned w = 0; w < 8; ++w) {
      const uint32_t left = slots.words[row % 8 * 4 + w % 4][row / 8 + w / 4 * 2], right = slots.words[column * 4 + w % 4][4 + w / 4];
      for (int p = 0; p < kPerWord; ++p) c[i] += value(left, p) * value(right, p);
    }
  }
}
inline void multiply_add_tf32(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { multiply_add_words<1>(c, a, b); }
inline void multiply_add_bf16(float (&c)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) { multiply_add_words<2>(c, a, b); }

template <class... P, class... A>
void launch(const char* op, void (*kernel)(P...), dim3 grid, dim3 block, cudaStream_t stream, A&&... arguments) {
  [&](P... values) { cuda_on_host::run_kernel(stream, op, grid, block, [=] { kernel(values...); }); }(static_cast<P>(arguments)...);
}

}  // namespace fer::cuda
