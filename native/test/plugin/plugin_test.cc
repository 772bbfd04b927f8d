// The boundary of plugin/interface.h: ops cross as plain data, errors keep their code and words. (The tests of ops/ run every op
// across it.)
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "buffer.h"
#include "plugin/plugin_backend.h"
#include "test/failure.h"

extern "C" const fer::plugin::Table* fer_cuda_plugin();

namespace fer {
namespace {

std::unique_ptr<Backend> through_plugin() { return std::make_unique<plugin::PluginBackend>(*fer_cuda_plugin(), 0, DeviceOptions{.name = "cuda:0"}); }

TEST(PluginTest, AnErrorKeepsItsCodeAndItsWords) {
  const auto backend = through_plugin();
  const std::string failure = failure_of([&] { backend->allocate(size_t{1} << 60); });
  EXPECT_EQ(failure.rfind("ERR_FER_OUT_OF_MEMORY: cuda:0 could not allocate 1152921504606846976 bytes", 0), 0u) << failure;
  EXPECT_EQ(failure_of([] { plugin::PluginBackend(*fer_cuda_plugin(), 1, {}); }).rfind("ERR_FER_DEVICE_UNAVAILABLE: ", 0), 0u);
}

// No backend takes two input channels.
constexpr ConvolutionForward kImpossible{.shape = {.n = 1, .size = 5, .in_channels = 2, .out_channels = 8},
                                         .in = {.z = nullptr, .bn = nullptr},
                                         .weight = nullptr,
                                         .z = nullptr,
                                         .bn = nullptr,
                                         .training = false};
constexpr const char* kRefusal = "ERR_FER_ARGUMENT: expected one input channel or a multiple of 4, got 2";

TEST(PluginTest, AnErrorOfAnOpComesThrough) {
  const auto backend = through_plugin();
  EXPECT_EQ(failure_of([&] { backend->run(kImpossible); }), kRefusal);
}

TEST(PluginTest, AnErrorOfRecordedOpsComesThroughTheReplay) {
  const auto backend = through_plugin();
  Buffer<float> values(*backend, 4);
  const Op good = Rectify{.count = 4, .values = values.data()};
  const std::vector<Op> ops = {good, kImpossible};
  const auto program = backend->record(ops);
  EXPECT_EQ(failure_of([&] { program->run(); }), kRefusal);  // run directly
  EXPECT_EQ(failure_of([&] { program->run(); }), kRefusal);  // captured
  backend->record(std::span(&good, 1))->run();               // a failed capture leaves the stream usable
}

TEST(PluginTest, OpsThatThrowSomethingElseAreTypedToo) {
  plugin::Failure failure;
  EXPECT_FALSE(plugin::guarded(&failure, [] { throw std::runtime_error("odd"); }));
  EXPECT_EQ(failure_of([&] { plugin::rethrow(failure); }), "ERR_FER_NATIVE: odd");
  EXPECT_FALSE(plugin::guarded(&failure, [] { throw std::bad_alloc(); }));
  EXPECT_EQ(failure_of([&] { plugin::rethrow(failure); }).rfind("ERR_FER_OUT_OF_MEMORY: ", 0), 0u);
  EXPECT_FALSE(plugin::guarded(&failure, [] { throw 3; }));
  EXPECT_EQ(failure_of([&] { plugin::rethrow(failure); }), "ERR_FER_NATIVE: an unknown error occurred");
}

// Every op of the list arrives as the struct that was sent.
TEST(PluginTest, AnOpCrossesAsPlainData) {
  const Op sent = Rectify{.count = 7, .values = nullptr};
  const Op received = plugin::op_of(plugin::plain(sent));
  ASSERT_TRUE(std::holds_alternative<Rectify>(received));
  EXPECT_EQ(std::get<Rectify>(received).count, 7u);
}

TEST(PluginTest, LongMessagesAreCutNotOverrun) {
  plugin::Failure failure;
  EXPECT_FALSE(plugin::guarded(&failure, [] { throw Error(std::string(200, 'c'), std::string(10'000, 'm')); }));
  EXPECT_EQ(std::string(failure.code).size(), sizeof failure.code - 1);
  EXPECT_EQ(std::string(failure.message).size(), sizeof failure.message - 1);
}

TEST(PluginTest, RecordedOpsRunAgainOnTheDevice) {
  const auto backend = through_plugin();
  Buffer<float> values(*backend, 4);
  const Op op = Rectify{.count = 4, .values = values.data()};
  const auto program = backend->record(std::span(&op, 1));
  for (float value : {1.f, -2.f, 3.f}) {
    const std::vector<float> sent = {value, -value, 0, 5};
    std::vector<float> received(4);
    backend->upload(values.data(), sent.data(), values.bytes());
    program->run();
    backend->download(received.data(), values.data(), values.bytes());
    EXPECT_EQ(received, (std::vector<float>{std::max(value, 0.f), std::max(-value, 0.f), 0, 5}));
  }
}

}  // namespace
}  // namespace fer
