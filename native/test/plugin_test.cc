// The boundary of plugin/interface.h: errors keep their code and words across it, in both directions, and recorded ops come
// back for replay. (operations_test.cc runs every op across it.)
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include "core/buffer.h"
#include "core/devices.h"
#include "plugin/plugin_backend.h"

extern "C" const fer::plugin::Table* fer_cuda_plugin();

namespace fer {
namespace {

std::unique_ptr<Backend> through_plugin() { return std::make_unique<plugin::PluginBackend>(*fer_cuda_plugin(), 0, DeviceOptions{}); }

std::string failure_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code() + ": " + error.what();
  }
  return "nothing was thrown";
}

TEST(PluginTest, AnErrorKeepsItsCodeAndItsWords) {
  const auto backend = through_plugin();
  const std::string failure = failure_of([&] { backend->allocate(size_t{1} << 60); });
  EXPECT_EQ(failure.rfind("ERR_FER_OUT_OF_MEMORY: cuda:0 could not allocate 1152921504606846976 bytes", 0), 0u) << failure;
  EXPECT_EQ(failure_of([] { plugin::PluginBackend(*fer_cuda_plugin(), 1, {}); }).rfind("ERR_FER_DEVICE_UNAVAILABLE: ", 0), 0u);
}

TEST(PluginTest, AnErrorOfRecordedOpsComesThroughTheReplay) {
  const auto backend = through_plugin();
  bool fails = false;
  const auto program = backend->record([&] {
    if (fails) throw Error("ERR_FER_ARGUMENT", "these ops do not fit");
  });
  program->run();
  fails = true;
  EXPECT_EQ(failure_of([&] { program->run(); }), "ERR_FER_ARGUMENT: these ops do not fit");
  fails = false;
  program->run();  // a failed capture leaves the stream usable
}

TEST(PluginTest, OpsThatThrowSomethingElseAreTypedToo) {
  const auto backend = through_plugin();
  EXPECT_EQ(failure_of([&] { backend->record([] { throw std::runtime_error("odd"); })->run(); }), "ERR_FER_NATIVE: odd");
  EXPECT_EQ(failure_of([&] { backend->record([] { throw std::bad_alloc(); })->run(); }).rfind("ERR_FER_OUT_OF_MEMORY: ", 0), 0u);
}

TEST(PluginTest, LongMessagesAreCutNotOverrun) {
  plugin::Failure failure;
  EXPECT_FALSE(plugin::guarded(&failure, [] { throw Error(std::string(200, 'c'), std::string(10'000, 'm')); }));
  EXPECT_EQ(std::string(failure.code).size(), sizeof failure.code - 1);
  EXPECT_EQ(std::string(failure.message).size(), sizeof failure.message - 1);
}

TEST(PluginTest, RecordedOpsRunAgainOnTheDevice) {
  const auto backend = through_plugin();
  Buffer<float> from(*backend, 4), to(*backend, 4);
  const auto program = backend->record([&] { backend->copy(to.data(), from.data(), from.bytes()); });
  for (float value : {1.f, 2.f, 3.f}) {
    const std::vector<float> sent(4, value);
    std::vector<float> received(4);
    backend->upload(from.data(), sent.data(), from.bytes());
    program->run();
    backend->download(received.data(), to.data(), to.bytes());
    EXPECT_EQ(received, sent);
  }
}

TEST(DevicesTest, RefusesNamesItDoesNotKnow) {
  for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "CPU"})
    EXPECT_EQ(failure_of([&] { make_backend(name, {}); }).rfind("ERR_FER_ARGUMENT: expected auto, cpu, cuda or cuda:<number>", 0), 0u) << name;
  EXPECT_EQ(failure_of([] { make_backend("cpu", {.precision = Precision::kBf16}); }).rfind("ERR_FER_ARGUMENT: expected precision fp32", 0), 0u);
}

}  // namespace
}  // namespace fer
