// Blocks and fibres of the pretended machine, and the run time's calls.
#include <cuda_runtime.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

// Saves the caller's registers on its stack and goes on where another stack stopped. kFrame words of stack: kReturn is the one
// with the address to go on at.
extern "C" void cuda_on_host_switch(void** stopped_here, void* go_on_there);
#if defined(__x86_64__)
constexpr int kFrame = 8, kReturn = 6;  // above six registers; then the stack is aligned as after a call
asm(R"(
.text
.type cuda_on_host_switch, @function
cuda_on_host_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_on_host_switch, .-cuda_on_host_switch
)");
#else
constexpr int kFrame = 20, kReturn = 11;
asm(R"(
.text
.type cuda_on_host_switch, %function
cuda_on_host_switch:
  sub sp, sp, #160
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.size cuda_on_host_switch, .-cuda_on_host_switch
)");
#endif

namespace cuda_on_host {

struct Graph {
  struct Node {
    std::function<void()> run;
    bool forked;
  };  // without a function: the forks join here
  std::vector<Node> work;
  std::vector<Stream*> forks;
};
// A stream is captured into a graph from the call that begins it, or from waiting for an event of a captured stream, which it
// must have been joined with again at the end.
struct Stream {
  int device = 0;
  std::shared_ptr<Graph> capturing;
  bool joined = true;
};
struct Event {
  int device = 0;
  std::chrono::steady_clock::time_point at;
  std::shared_ptr<Graph> capturing;
  Stream* stream = nullptr;
};

constinit thread_local dim3 thread_index, block_index, block_size, grid_size;

Machine& machine() {
  static Machine machine;
  return machine;
}

namespace {

constexpr size_t kStack = 64 << 10;
constexpr unsigned kWarp = 32;

enum class At : uint8_t { kStart, kWarpBarrier, kBlockBarrier, kEnd };

void run_threads();

// A stack of its own. Tops are staggered, or all fibres would fight for the same sets of the cache.
struct Fibre {
  explicit Fibre(size_t number) : stack(new char[kStack]) {
    auto top = reinterpret_cast<uintptr_t>(stack.get()) + kStack - number * 1088 % 16384;
    void** frame = reinterpret_cast<void**>(top & ~uintptr_t{15}) - kFrame;
    for (int i = 0; i < kFrame; ++i) frame[i] = nullptr;
    frame[kReturn] = reinterpret_cast<void*>(&run_threads);
    stopped = frame;
  }
  std::unique_ptr<char[]> stack;
  void* stopped;
};

struct Thread {
  dim3 index;
  At at = At::kStart;
  Fibre* fibre = nullptr;
  unsigned collectives = 0;
};

// The block a host thread is running.
struct Block {
  std::vector<Thread> threads;
  std::vector<std::unique_ptr<Fibre>> all;
  std::vector<Fibre*> idle;
  const std::function<void()>* body = nullptr;
  void* home = nullptr;
  Thread* current = nullptr;
  unsigned first = 0, cursor = 0, end = 0;  // of the pass over a warp
  unsigned live = 0, waiting = 0;           // threads that have not ended; those of the warp that wait for the warp
  bool reversed = false;
  std::vector<WarpMemory> warps;
};
thread_local Block block_state;

Thread& in_order(Block& b, unsigned i) { return b.threads[b.reversed ? b.first + b.end - 1 - i : i]; }

void enter(Block& b, Thread& t) {
  b.current = &t;
  thread_index = t.index;
}

// What every fibre runs: as long as threads reach no barrier, one fibre runs one after another.
void run_threads() {
  Block& b = block_state;
  for (;;) {
    Fibre* const self = b.current->fibre;
    for (;;) {
      (*b.body)();
      b.current->at = At::kEnd;
      --b.live;
      if (b.cursor + 1 >= b.end) break;
      Thread& next = in_order(b, b.cursor + 1);
      if (next.at != At::kStart) break;
      ++b.cursor;
      next.fibre = self;
      enter(b, next);
    }
    b.idle.push_back(self);
    cuda_on_host_switch(&self->stopped, b.home);
  }
}

void stop_at(At barrier) {
  Block& b = block_state;
  Thread& self = *b.current;
  self.at = barrier;
  b.waiting += barrier == At::kWarpBarrier;
  void* there = b.home;
  if (b.cursor + 1 < b.end) {  // straight to the next thread where it can go on
    Thread& next = in_order(b, b.cursor + 1);
    if (next.at == At::kBlockBarrier || next.at == At::kWarpBarrier) {
      ++b.cursor;
      enter(b, next);
      there = next.fibre->stopped;
    }
  }
  cuda_on_host_switch(&self.fibre->stopped, there);
}

[[noreturn]] void fault(const char* what) {
  std::fputs(what, stderr);
  std::abort();
}

// Takes each live thread of a warp to its next barrier of the block.
void run_warp(Block& b, unsigned first, unsigned end) {
  b.first = first;
  b.end = end;
  do {
    b.waiting = 0;
    for (b.cursor = first; b.cursor < end; ++b.cursor) {
      Thread& t = in_order(b, b.cursor);
      if (t.at == At::kEnd) continue;
      if (t.at == At::kStart) {
        if (b.idle.empty()) b.idle.push_back(b.all.emplace_back(std::make_unique<Fibre>(b.all.size())).get());
        t.fibre = b.idle.back();
        b.idle.pop_back();
      }
      enter(b, t);
      cuda_on_host_switch(&b.home, t.fibre->stopped);
    }
    if (b.waiting != 0 && b.waiting != end - first) fault("a warp's threads did not all reach the same collective\n");
  } while (b.waiting != 0);
}

void run_block(const std::function<void()>& thread) {
  Block& b = block_state;
  const auto count = static_cast<unsigned>(b.threads.size()), warps = (count + kWarp - 1) / kWarp;
  b.body = &thread;
  for (Thread& t : b.threads) t.at = At::kStart;
  for (b.live = count; b.live > 0;) {
    const unsigned before = b.live;
    for (unsigned i = 0; i < warps; ++i) {
      const unsigned w = b.reversed ? warps - 1 - i : i;
      run_warp(b, w * kWarp, std::min(count, (w + 1) * kWarp));
    }
    // As on the GPU, a barrier that some threads of a block never reach is a fault of the kernel.
    if (b.live != 0 && b.live != before) fault("a kernel's threads did not all reach the same barrier\n");
  }
}

void run_grid(dim3 grid, dim3 block, const std::function<void()>& thread) {
  ++machine().launches;
  grid_size = grid;
  block_size = block;
  Block& b = block_state;
  b.reversed = machine().reversed;
  b.threads.assign(block.x * block.y * block.z, {});
  if (b.warps.size() * kWarp < b.threads.size()) b.warps.resize((b.threads.size() + kWarp - 1) / kWarp);
  for (unsigned i = 0; i < b.threads.size(); ++i) b.threads[i].index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
  const unsigned count = grid.x * grid.y * grid.z;
  for (unsigned i = 0; i < count; ++i) {
    const unsigned at = b.reversed ? count - 1 - i : i;
    block_index = {at % grid.x, at / grid.x % grid.y, at / (grid.x * grid.y)};
    run_block(thread);
  }
}

std::mutex allocations_mutex;
std::map<void*, size_t> allocations;

thread_local int current_device = 0, captures = 0;  // of this thread

template <class T>
void expect_device(const T* object, const char* call) {
  if (object->device != current_device)
    misuse(std::string(call) + " is called for device " + std::to_string(object->device) + " while the thread's is " +
           std::to_string(current_device));
}

}  // namespace

void misuse(const std::string& what) {
  std::fprintf(stderr, "misuse of CUDA: %s\n", what.c_str());
  std::abort();
}

void refuse_while_capturing(const char* call) {
  if (captures > 0) misuse(std::string(call) + " while this thread captures a step");
}

void submit(Stream* stream, std::function<void()> work) {
  expect_device(stream, "a launch");
  if (stream->capturing)
    stream->capturing->work.push_back({std::move(work), !stream->capturing->forks.empty() && stream == stream->capturing->forks.back()});
  else work();
}

void synchronise_threads() { stop_at(At::kBlockBarrier); }

// Two sets of slots in turn: whoever writes a set again knows that all have read it, as they all came to the set between.
WarpSlots& begin_collective() {
  Block& b = block_state;
  const auto number = static_cast<unsigned>(b.current - b.threads.data());
  return b.warps[number / kWarp].sets[b.current->collectives++ % 2];
}
void end_collective() { stop_at(At::kWarpBarrier); }
unsigned lane() { return static_cast<unsigned>(block_state.current - block_state.threads.data()) % kWarp; }

void run_kernel(Stream* stream, const char* op, dim3 grid, dim3 block, std::function<void()> thread) {
  submit(stream, [=] {
    if (machine().launched) machine().launched->push_back(op);
    run_grid(grid, block, thread);
  });
}

}  // namespace cuda_on_host

using namespace cuda_on_host;

const char* cudaGetErrorString(cudaError_t e) {
  return e == cudaErrorMemoryAllocation ? "out of memory" : e == cudaSuccess ? "no error" : "invalid use";
}
const char* cudaGetErrorName(cudaError_t e) { return e == cudaErrorMemoryAllocation ? "cudaErrorMemoryAllocation" : "cudaError"; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) { return *count = machine().devices, cudaSuccess; }
cudaError_t cudaSetDevice(int device) {
  if (device >= machine().devices) return cudaErrorInvalidDevice;
  return current_device = device, cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int) {
  std::strcpy(p->name, "CUDA on the host");
  p->major = machine().compute_capability_major;
  p->minor = 0;
  return cudaSuccess;
}
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, const void*, int, size_t) { return *blocks = 2, cudaSuccess; }
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  *value = attribute == cudaDevAttrMultiProcessorCount ? machine().multiprocessors : machine().compute_capability_major;
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) { return *version = 12040, cudaSuccess; }

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  refuse_while_capturing("cudaMalloc");
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
  refuse_while_capturing("cudaFree");
  const std::lock_guard lock(allocations_mutex);
  const auto at = allocations.find(memory);
  if (!memory) return cudaSuccess;
  if (at == allocations.end()) misuse("cudaFree of what was not allocated, or was freed before");
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
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return *stream = new Stream{current_device, nullptr, true}, cudaSuccess; }
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  expect_device(stream, "cudaStreamDestroy");
  if (stream->capturing) misuse("cudaStreamDestroy of a stream that is being captured");
  return delete stream, cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  ++machine().synchronisations;
  expect_device(stream, "cudaStreamSynchronize");
  if (stream->capturing) misuse("cudaStreamSynchronize of a stream that is being captured");
  refuse_while_capturing("cudaStreamSynchronize");
  return cudaSuccess;
}
cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* status) {
  return *status = stream->capturing ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone, cudaSuccess;
}
cudaError_t cudaEventCreate(cudaEvent_t* event) { return *event = new Event{current_device, {}, nullptr, nullptr}, cudaSuccess; }
cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) { return cudaEventCreate(event); }
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  expect_device(stream, "cudaEventRecord");
  if (event->device != stream->device) misuse("cudaEventRecord of another device's event");
  *event = {event->device, std::chrono::steady_clock::now(), stream->capturing, stream};
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (!event->capturing) return stream->capturing ? cudaErrorStreamCaptureInvalidated : cudaSuccess;
  if (!stream->capturing) {
    stream->capturing = event->capturing;
    stream->joined = false;
    event->capturing->forks.push_back(stream);
  }
  if (!event->stream->joined) event->capturing->work.push_back({nullptr, false});
  event->stream->joined = true;
  if (stream != event->stream && !event->capturing->forks.empty() && stream == event->capturing->forks.back()) stream->joined = false;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  ++machine().synchronisations;
  refuse_while_capturing("cudaEventSynchronize");  // nothing can be measured inside a capture
  if (event->capturing) misuse("cudaEventSynchronize with an event that was captured");
  return cudaSuccess;
}
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
  return *milliseconds = std::chrono::duration<float, std::milli>(end->at - begin->at).count(), cudaSuccess;
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  expect_device(stream, "cudaStreamBeginCapture");
  if (stream->capturing) misuse("cudaStreamBeginCapture of a stream that is being captured");
  ++captures;
  return stream->capturing = std::make_shared<Graph>(), cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (captures == 0 || !stream->capturing) misuse("cudaStreamEndCapture by a thread that captures nothing");
  --captures;
  *graph = new Graph{std::move(stream->capturing->work), {}};
  bool joined = true;
  for (Stream* fork : stream->capturing->forks) {
    joined = joined && fork->joined;
    fork->capturing.reset();
  }
  stream->capturing.reset();
  return joined ? cudaSuccess : cudaErrorStreamCaptureInvalidated;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  return *executable = new Graph(*graph), cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) { return delete executable, cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  expect_device(stream, "cudaGraphLaunch");
  refuse_while_capturing("cudaGraphLaunch");
  ++machine().graph_launches;
  // What a second stream does may happen at once or as late as its joining: here at once, backwards late.
  std::vector<const Graph::Node*> late;
  for (const Graph::Node& node : executable->work) {
    if (node.run && node.forked && machine().reversed) late.push_back(&node);
    else if (node.run) node.run();
    else
      for (; !late.empty(); late.erase(late.begin())) late.front()->run();
  }
  return cudaSuccess;
}
