#include <cuda_runtime.h>
#include <setjmp.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

namespace cuda_on_host {

struct Graph {
  std::vector<std::function<void()>> work;
};
struct Stream {
  std::unique_ptr<Graph> capturing;
};

thread_local dim3 thread_index, block_index, block_size, grid_size;

Machine& machine() {
  static Machine machine;
  return machine;
}

namespace {

constexpr size_t kStack = 64 << 10;

struct Fibre {
  ucontext_t start;
  jmp_buf where;
  std::unique_ptr<char[]> stack{new char[kStack]};
  bool started = false, finished = false;
  dim3 index;
};

// The fibres of one host thread; a block uses the first of them.
struct Fibres {
  std::vector<std::unique_ptr<Fibre>> all;
  ucontext_t home_start;
  jmp_buf home;
  Fibre* current = nullptr;
  const std::function<void()>* body = nullptr;
};
thread_local Fibres fibres;

// Switching by setjmp costs nanoseconds; swapcontext, which makes a system call, is needed for the first entry alone.
void enter_fibre() {
  for (;;) {
    (*fibres.body)();
    fibres.current->finished = true;
    if (_setjmp(fibres.current->where) == 0) _longjmp(fibres.home, 1);
  }
}

void resume(Fibre& fibre) {
  fibres.current = &fibre;
  thread_index = fibre.index;
  if (_setjmp(fibres.home) != 0) return;
  if (fibre.started) _longjmp(fibre.where, 1);
  fibre.started = true;
  getcontext(&fibre.start);
  fibre.start.uc_stack.ss_sp = fibre.stack.get();
  fibre.start.uc_stack.ss_size = kStack;
  fibre.start.uc_link = nullptr;
  makecontext(&fibre.start, enter_fibre, 0);
  setcontext(&fibre.start);
}

void run_block(dim3 block, const std::function<void()>& thread) {
  const unsigned count = block.x * block.y * block.z;
  while (fibres.all.size() < count) fibres.all.push_back(std::make_unique<Fibre>());
  fibres.body = &thread;
  for (unsigned i = 0; i < count; ++i) {
    fibres.all[i]->finished = false;
    fibres.all[i]->index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
  }
  const bool reversed = machine().reversed;
  // Every round takes each live thread to its next barrier; one that returned no longer takes part.
  for (unsigned live = count; live > 0;) {
    unsigned ended = 0;
    for (unsigned i = 0; i < count; ++i) {
      Fibre& fibre = *fibres.all[reversed ? count - 1 - i : i];
      if (fibre.finished) continue;
      resume(fibre);
      ended += fibre.finished;
    }
    // As on the GPU, a barrier that some threads of a block never reach is a fault of the kernel.
    if (ended != 0 && ended != live) {
      std::fputs("a kernel's threads did not all reach the same barrier\n", stderr);
      std::abort();
    }
    live -= ended;
  }
}

void run_grid(dim3 grid, dim3 block, const std::function<void()>& thread) {
  ++machine().launches;
  grid_size = grid;
  block_size = block;
  const unsigned count = grid.x * grid.y * grid.z;
  for (unsigned i = 0; i < count; ++i) {
    const unsigned b = machine().reversed ? count - 1 - i : i;
    block_index = {b % grid.x, b / grid.x % grid.y, b / (grid.x * grid.y)};
    run_block(block, thread);
  }
}

void submit(Stream* stream, std::function<void()> work) {
  if (stream->capturing) stream->capturing->work.push_back(std::move(work));
  else work();
}

std::mutex allocations_mutex;
std::map<void*, size_t> allocations;

}  // namespace

void synchronise_threads() {
  Fibre& self = *fibres.current;
  if (_setjmp(self.where) == 0) _longjmp(fibres.home, 1);
}

void run_kernel(Stream* stream, dim3 grid, dim3 block, std::function<void()> thread) {
  submit(stream, [=] { run_grid(grid, block, thread); });
}

}  // namespace cuda_on_host

using namespace cuda_on_host;

const char* cudaGetErrorString(cudaError_t e) { return e == cudaErrorMemoryAllocation ? "out of memory" : e == cudaSuccess ? "no error" : "invalid use"; }
const char* cudaGetErrorName(cudaError_t e) { return e == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaError"; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) { return *count = machine().devices, cudaSuccess; }
cudaError_t cudaSetDevice(int device) { return device < machine().devices ? cudaSuccess : cudaErrorInvalidDevice; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  std::strcpy(p->name, "CUDA on the host");
  p->major = p->minor = 0;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) { return *value = machine().multiprocessors, cudaSuccess; }

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const std::lock_guard lock(allocations_mutex);
  if (bytes > machine().free_bytes) return cudaErrorMemoryAllocation;
  *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!*memory) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xff, bytes);  // NaN: what is read before it is written shows
  allocations[*memory] = bytes;
  machine().free_bytes -= bytes;
  return cudaSuccess;
}
cudaError_t cudaFree(void* memory) {
  const std::lock_guard lock(allocations_mutex);
  const auto at = allocations.find(memory);
  if (at == allocations.end()) return memory ? cudaErrorInvalidDevice : cudaSuccess;
  machine().free_bytes += at->second;
  allocations.erase(at);
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) { return *free = machine().free_bytes, *total = size_t{8} << 30, cudaSuccess; }

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  submit(stream, [=] { std::memmove(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  submit(stream, [=] { std::memset(memory, value, bytes); });
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return *stream = new Stream, cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return delete stream, cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  ++machine().synchronisations;
  return stream->capturing ? cudaErrorStreamCaptureInvalidated : cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) { return stream->capturing = std::make_unique<Graph>(), cudaSuccess; }
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) { return *graph = stream->capturing.release(), cudaSuccess; }
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) { return *executable = new Graph(*graph), cudaSuccess; }
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return delete executable, cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t) {
  ++machine().graph_launches;
  for (const auto& work : executable->work) work();
  return cudaSuccess;
}
