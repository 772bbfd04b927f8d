// Every check of the interpreter fires on a kernel that does the thing, and is silent on one that does it right.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "backend.h"
#include "test/backends.h"
#include "test/ptx/interpreter.h"
#include "test/ptx/report.h"
#include "test/ptx/streams.h"

namespace {

// A kernel with registers, 256 bytes of shared memory, %rd1 at a buffer of 256 words, %r0 the thread and %r1 the block.
std::string kernel(const std::string& body) {
  return R"(.version 8.4
.target sm_80
.address_size 64
.visible .entry kernel(.param .u64 kernel_param_0)
{
  .reg .pred %p<4>;
  .reg .b32 %r<32>;
  .reg .f32 %f<16>;
  .reg .b64 %rd<8>;
  .shared .align 16 .b8 memory[256];
  .local .align 16 .b8 own[16];
  ld.param.u64 %rd0, [kernel_param_0];
  cvta.to.global.u64 %rd1, %rd0;
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, %ctaid.x;
  mul.wide.u32 %rd2, %r0, 4;
  add.s64 %rd3, %rd1, %rd2;
  shl.b32 %r2, %r0, 2;
  mov.u32 %r3, memory;
  add.s32 %r4, %r3, %r2;
)" + body +
         "\n  ret;\n}\n";
}

class Buffer {
 public:
  explicit Buffer(bool written = true) : words(256) {
    ptx::add_allocation(words.data(), words.size() * sizeof(uint32_t));
    ptx::Clock first{0, {}};
    if (written) ptx::touch("filling", words.data(), words.size() * sizeof(uint32_t), true, first);
  }
  ~Buffer() { ptx::remove_allocation(words.data()); }
  std::vector<uint32_t> words;
};

struct Shape {
  uint32_t blocks = 1, threads = 32;
};

// The first report of running it, without the place; "" where there is none.
std::string report_of(const std::string& body, Shape shape = {}, bool written = true) {
  const std::lock_guard lock(ptx::machine_lock());
  const auto module = ptx::parse(kernel(body));
  Buffer buffer(written);
  ptx::Clock clock{1, {}};
  clock.join({1});  // after the filling
  void* address = buffer.words.data();
  void* arguments[] = {&address};
  ptx::take_report();
  ptx::launch(*module->kernels[0], {shape.blocks, 1, 1}, {shape.threads, 1, 1}, arguments, clock, false);
  const std::string report = ptx::take_report();
  return report.substr(0, report.find(": "));
}

constexpr const char* kHalves = "setp.lt.u32 %p0, %r0, 16;\n";  // lanes 0 to 15

TEST(PtxTest, AddressesAreCheckedBeforeTheyAreUsed) {
  EXPECT_EQ(report_of("st.global.u32 [%rd3], %r0;"), "");
  EXPECT_EQ(report_of("st.global.u32 [%rd3+2], %r0;"), "misaligned address");
  EXPECT_EQ(report_of("st.global.u32 [%rd3+1024], %r0;"), "global address out of bounds");
  EXPECT_EQ(report_of("ld.global.u32 %r5, [%rd3+1024];"), "global address out of bounds");
  EXPECT_EQ(report_of("st.shared.u32 [%r4], %r0;"), "");
  EXPECT_EQ(report_of("st.shared.u32 [%r4+256], %r0;"), "shared address out of bounds");
  EXPECT_EQ(report_of("mov.u64 %rd4, own; st.local.u32 [%rd4], %r0;"), "");
  EXPECT_EQ(report_of("mov.u64 %rd4, own; st.local.u32 [%rd4+16], %r0;"), "local address out of bounds");
}

TEST(PtxTest, ABarrierIsForAllThreadsOfABlock) {
  EXPECT_EQ(report_of("bar.sync 0;", {.threads = 64}), "");
  EXPECT_EQ(report_of(std::string(kHalves) + "@%p0 bar.sync 0;"), "predicated barrier");
  EXPECT_EQ(report_of("setp.gt.u32 %p0, %r0, 31;\n@%p0 ret;\nbar.sync 0;", {.threads = 64}), "a barrier after some threads have ended");
  EXPECT_EQ(report_of(std::string(kHalves) + "@%p0 bra $other;\nbar.sync 0;\nbra $end;\n$other:\nbar.sync 0;\n$end:\nmov.u32 %r5, 0;"),
            "a barrier that a warp comes to in parts");
  EXPECT_EQ(
      report_of("setp.gt.u32 %p0, %r0, 31;\n@%p0 bra $other;\nbar.sync 0;\nbra $end;\n$other:\nbar.sync 0;\n$end:\nmov.u32 %r5, 0;", {.threads = 64}),
      "threads wait at different barriers");
}

TEST(PtxTest, AShuffleIsForTheLanesThatItNames) {
  const std::string whole = "shfl.sync.bfly.b32 %r6|%p1, %r0, 16, 31, -1;", half = "shfl.sync.bfly.b32 %r6|%p1, %r0, 8, 31, 65535;";
  EXPECT_EQ(report_of(whole), "");
  EXPECT_EQ(report_of(std::string(kHalves) + "@%p0 bra $here;\nbra $end;\n$here:\n" + half + "\n$end:\nmov.u32 %r5, 0;"), "");
  EXPECT_EQ(report_of(std::string(kHalves) + "@%p0 bra $here;\nbra $end;\n$here:\n" + whole + "\n$end:\nmov.u32 %r5, 0;"),
            "shuffle of a warp that is apart");
  EXPECT_EQ(
      report_of(std::string(kHalves) + "@%p0 bra $here;\nbra $end;\n$here:\nshfl.sync.bfly.b32 %r6|%p1, %r0, 16, 31, 65535;\n$end:\nmov.u32 %r5, 0;"),
      "shuffle from an inactive lane");
}

TEST(PtxTest, AMatrixProductIsForAWholeWarp) {
  const std::string mma =
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f0, %f1, %f2, %f3}, {%r5, %r6, %r7, %r8}, {%r9, %r10}, {%f0, %f1, %f2, %f3};";
  EXPECT_EQ(report_of(mma), "");
  EXPECT_EQ(report_of(std::string(kHalves) + "@%p0 bra $here;\nbra $end;\n$here:\n" + mma + "\n$end:\nmov.u32 %r5, 0;"),
            "mma of a warp that is apart");
}

// By the manual's tables: a(row, k) = row + 1 in column k = 0, b(0, column) = column + 1, so that c(row, column) is their product.
TEST(PtxTest, AMatrixProductTakesTheManualsFragments) {
  const std::string body = R"(
  shr.u32 %r10, %r0, 2;
  and.b32 %r11, %r0, 3;
  setp.eq.s32 %p0, %r11, 0;
  add.s32 %r12, %r10, 1;
  cvt.rn.f32.s32 %f4, %r12;
  add.s32 %r13, %r10, 9;
  cvt.rn.f32.s32 %f5, %r13;
  mov.b32 %r14, %f4;
  mov.b32 %r15, %f5;
  selp.b32 %r5, %r14, 0, %p0;
  selp.b32 %r6, %r15, 0, %p0;
  mov.u32 %r7, 0;
  mov.u32 %r8, 0;
  selp.b32 %r9, %r14, 0, %p0;
  mov.f32 %f0, 0f00000000;
  mov.f32 %f1, 0f00000000;
  mov.f32 %f2, 0f00000000;
  mov.f32 %f3, 0f00000000;
  mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f0, %f1, %f2, %f3}, {%r5, %r6, %r7, %r8}, {%r9, %r7}, {%f0, %f1, %f2, %f3};
  mul.wide.u32 %rd4, %r0, 16;
  add.s64 %rd5, %rd1, %rd4;
  st.global.v4.f32 [%rd5], {%f0, %f1, %f2, %f3};)";
  const std::lock_guard lock(ptx::machine_lock());
  const auto module = ptx::parse(kernel(body));
  Buffer buffer;
  ptx::Clock clock{1, {}};
  clock.join({1});
  void* address = buffer.words.data();
  void* arguments[] = {&address};
  ptx::launch(*module->kernels[0], {1, 1, 1}, {32, 1, 1}, arguments, clock, false);
  for (int lane = 0; lane < 32; ++lane)
    for (int e = 0; e < 4; ++e) {
      float value;
      std::memcpy(&value, &buffer.words[lane * 4 + e], sizeof value);
      EXPECT_EQ(value, static_cast<float>((lane / 4 + 1 + (e < 2 ? 0 : 8)) * (lane % 4 * 2 + e % 2 + 1))) << lane << ' ' << e;
    }
}

TEST(PtxTest, SharedMemoryIsWrittenBeforeItIsReadAndABarrierLiesBetween) {
  const std::string exchange = "st.shared.u32 [%r4], %r0;\nbar.sync 0;\nxor.b32 %r5, %r2, 4;\nadd.s32 %r6, %r3, %r5;\nld.shared.u32 %r7, [%r6];";
  EXPECT_EQ(report_of(exchange), "");
  EXPECT_EQ(report_of("ld.shared.u32 %r7, [%r4];"), "uninitialised shared memory");
  std::string without = exchange;
  without.erase(without.find("bar.sync 0;\n"), 12);
  EXPECT_EQ(report_of(without), "shared race");
  EXPECT_EQ(report_of(exchange + "\nst.shared.u32 [%r4], %r7;"), "shared race") << "what another thread reads is overwritten";
  EXPECT_EQ(report_of("st.shared.u32 [%r3], %r0;"), "shared race") << "all write one word";
}

TEST(PtxTest, GlobalMemoryIsWrittenBeforeItIsReadAndByOneThreadAtATime) {
  EXPECT_EQ(report_of("ld.global.u32 %r5, [%rd3];"), "");
  EXPECT_EQ(report_of("ld.global.u32 %r5, [%rd3];", {}, false), "uninitialised global memory");
  EXPECT_EQ(report_of("st.global.u32 [%rd1], %r0;"), "global race in a block");
  EXPECT_EQ(report_of("st.global.u32 [%rd3], %r0;\nld.global.u32 %r5, [%rd1];"), "global race in a block");
  EXPECT_EQ(report_of("st.global.u32 [%rd3], %r0;\nbar.sync 0;\nld.global.u32 %r5, [%rd1];"), "");
  EXPECT_EQ(report_of("st.global.u32 [%rd3], %r0;", {.blocks = 2}), "global race between blocks");
}

// The last block to arrive adds up what all have left: right with a fence before the atomic.
TEST(PtxTest, AnAtomicFollowsAFence) {
  const std::string own = R"(
  setp.ne.u32 %p0, %r0, 0;
  @%p0 bra $end;
  mul.wide.u32 %rd4, %r1, 4;
  add.s64 %rd5, %rd1, %rd4;
  st.global.u32 [%rd5], %r1;
)",
                    arrive = R"(
  atom.global.add.u32 %r5, [%rd1+512], 1;
  setp.ne.u32 %p1, %r5, 1;
  @%p1 bra $end;
  ld.global.u32 %r6, [%rd1];
  ld.global.u32 %r7, [%rd1+4];
$end:
  mov.u32 %r8, 0;)";
  const auto run = [&](const std::string& between) {
    const std::lock_guard lock(ptx::machine_lock());
    const auto module = ptx::parse(kernel(own + between + arrive));
    Buffer buffer;
    buffer.words[128] = 0;
    ptx::Clock clock{1, {}};
    clock.join({1});
    void* address = buffer.words.data();
    void* arguments[] = {&address};
    ptx::take_report();
    ptx::launch(*module->kernels[0], {2, 1, 1}, {32, 1, 1}, arguments, clock, false);
    const std::string report = ptx::take_report();
    return report.substr(0, report.find(": "));
  };
  EXPECT_EQ(run("membar.gl;"), "");
  EXPECT_EQ(run(""), "atomic without a fence before it");
}

TEST(PtxTest, StreamsAreOrderedByEventsAlone) {
  const std::lock_guard lock(ptx::machine_lock());
  const auto module = ptx::parse(kernel("ld.global.u32 %r5, [%rd3];\nadd.s32 %r5, %r5, 1;\nst.global.u32 [%rd3], %r5;"));
  Buffer buffer;
  void* address = buffer.words.data();
  void* arguments[] = {&address};
  ptx::Clock first{1, {}}, second{2, {}};
  first.join({1});
  second.join({1});
  ptx::take_report();
  auto run = [&](ptx::Clock& clock) {
    ptx::launch(*module->kernels[0], {1, 1, 1}, {32, 1, 1}, arguments, clock, false);
    const std::string report = ptx::take_report();
    return report.substr(0, report.find(": "));
  };
  EXPECT_EQ(run(first), "");
  second.join(first.seen);  // as waiting for an event does
  EXPECT_EQ(run(second), "");
  EXPECT_EQ(run(first), "race between streams");
}

TEST(PtxTest, ACapturedStreamIsJoined) {
  cudaStream_t stream = nullptr, other = nullptr;
  cudaEvent_t fork = nullptr, join = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
  cudaEventCreate(&fork);
  cudaEventCreate(&join);
  for (const bool joins : {true, false}) {
    cudaGraph_t graph = nullptr;
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    cudaEventRecord(fork, stream);
    cudaStreamWaitEvent(other, fork, 0);
    cuda_on_host::submit(other, [] {});
    cudaEventRecord(join, other);
    if (joins) cudaStreamWaitEvent(stream, join, 0);
    EXPECT_EQ(cudaStreamEndCapture(stream, &graph) == cudaSuccess, joins);
    EXPECT_EQ(ptx::take_report().empty(), joins);
  }
}

TEST(PtxTest, ALaunchHasTheSizesThatAGpuTakes) {
  const auto backend = fer::cuda_on_host_backend();
  EXPECT_ANY_THROW(backend->run(fer::Rectify{.count = 0, .values = nullptr}));
  EXPECT_EQ(ptx::take_report().rfind("a launch the run time refuses", 0), 0u);
}

TEST(PtxDeathTest, NothingIsAllocatedDuringCapture) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        cudaStream_t stream = nullptr;
        void* memory = nullptr;
        cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
        cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
        cudaMalloc(&memory, 4);
      },
      "misuse of CUDA: cudaMalloc while this thread captures");
}

TEST(PtxTest, WhatIsNotKnownIsRefused) {
  EXPECT_THROW(ptx::parse(kernel("prmt.b32 %r5, %r0, %r1, 30212;")), std::runtime_error);
  EXPECT_THROW(ptx::parse(kernel("add.ftz.f32 %f0, %f1, %f2;")), std::runtime_error);
  EXPECT_THROW(ptx::parse(kernel("add.s32 %r5, %r99, %r1;")), std::runtime_error);
}

}  // namespace
