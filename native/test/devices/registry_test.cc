// The registry of devices: names, and what "auto" chooses.
#include "devices/registry.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "test/failure.h"

namespace fer {
namespace {

TEST(DevicesTest, RefusesNamesItDoesNotKnow) {
  for (const char* name : {"", "gpu", "cuda:", "cuda:-1", "cuda:1x", "CPU", "cpu:0"}) {
    const std::string failure = failure_of([&] { make_backend(name, {}); });
    EXPECT_EQ(failure.rfind("ERR_FER_ARGUMENT: expected auto, ", 0), 0u) << failure;
    for (const Device* device : all_devices())
      EXPECT_NE(failure.find(device->gpu ? std::string(device->name) + ":<number>" : device->name), std::string::npos) << failure;
  }
  EXPECT_EQ(failure_of([] { make_backend("cpu", {.precision = Precision::kTf32}); }).rfind("ERR_FER_ARGUMENT: expected precision fp32 or bf16", 0),
            0u);
}

TEST(DevicesTest, EveryOneCanBeAskedWhatItNeeds) {
  for (const Device* device : all_devices()) {
    const Probe probe = device->probe();
    EXPECT_FALSE(probe.parts.empty()) << device->name;
    bool complete = true;
    for (const Part& part : probe.parts) complete &= part.problem.empty() || !part.without.empty();
    const std::string failure = failure_of([&] { make_backend(device->name, {}); });
    if (complete && !probe.units.empty()) {
      EXPECT_EQ(failure, "nothing was thrown");
    } else {
      EXPECT_EQ(failure.rfind("ERR_FER_DEVICE_UNAVAILABLE: ", 0), 0u) << failure;
    }
  }
}

TEST(DevicesTest, AutoOpensSomethingAndSaysWhat) {
  const OpenedDevice opened = open_device("auto", {});
  EXPECT_EQ(opened.choice.rfind("device auto: chose " + opened.name, 0), 0u) << opened.choice;
  EXPECT_TRUE(open_device(opened.name, {}).choice.empty());
}

}  // namespace
}  // namespace fer
