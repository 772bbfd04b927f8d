#include "test/backends.h"

#include <cmath>
#include <ostream>

#include "base/error.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "cudnn.h"
#include "devices/registry.h"
#include "plugin/plugin_backend.h"
#include "test/cpu/forms.h"
#include "test/setting.h"

extern "C" const fer::plugin::Table* fer_cuda_plugin();

namespace fer {
namespace {

// Products of operands rounded to 11 and to 8 significant bits: half a unit in the last place of each, and luck.
constexpr double kTf32 = 2e-3, kBf16 = 1.6e-2;
// And of what lies in memory as bf16.
constexpr double kBf16Memory = 2e-2;

std::vector<TestBackend> asked(const std::string& device) {
  auto in = [device](Precision precision) { return [=] { return make_backend(device, {.precision = precision}); }; };
  std::vector<TestBackend> all = {{.name = "asked_fp32", .make = in(Precision::kFp32)}};
  const auto tries = {TestBackend{.name = "asked_tf32", .make = in(Precision::kTf32), .tolerance = kTf32},
                      TestBackend{.name = "asked_bf16", .make = in(Precision::kBf16), .tolerance = kBf16}};
  for (const TestBackend& backend : tries) try {
      backend.make();
      all.push_back(backend);
    } catch (const Error&) {  // this device computes in float32 only
    }
  return all;
}

// Devices of the registry that this machine has.
std::vector<TestBackend> registered() {
  std::vector<TestBackend> all;
  for (const Device* device : all_devices()) try {
      device->open(0, {});
      all.push_back({.name = device->name, .make = [device] { return device->open(0, {.threads = 2}); }});
    } catch (const Error& error) {
      if (error.code() != "ERR_FER_DEVICE_UNAVAILABLE") throw;
    }
  return all;
}

// The CPU with every table of kernels that runs here.
std::vector<TestBackend> cpu_forms() {
  std::vector<TestBackend> all;
  for (const cpu::Form& form : cpu::forms()) {
    TestBackend& backend = all.emplace_back(
        TestBackend{.name = "cpu_" + form.name, .make = [kernels = form.kernels] { return std::make_unique<cpu::CpuBackend>(2, *kernels); }});
    if (!form.bf16) continue;
    backend.tolerance = kBf16;
    TestBackend half = backend;
    half.name += "_memory";
    half.half = true;
    half.tolerance = kBf16Memory;
    all.push_back(half);
  }
  return all;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const TestBackend& backend) { return out << backend.name; }

std::unique_ptr<Backend> cuda_on_host_backend(Precision precision, bool cudnn) {
  return std::make_unique<cuda::CudaBackend>(
      0, DeviceOptions{.name = "cuda:0", .precision = precision},
      cuda::Tuning{
          .measures = false, .pinned = "", .folder = {}, .cudnn_symbol = cudnn ? cuda_on_host::cudnn_symbol : nullptr, .cudnn_alone = cudnn});
}

std::vector<TestBackend> op_backends() {
  if (!asked_device().empty()) return asked(asked_device());
  std::vector<TestBackend> all = registered();
  all.insert(all.end(),
             {{.name = "cpu_1_thread", .make = [] { return std::make_unique<cpu::CpuBackend>(1); }},
              {.name = "cpu_3_threads", .make = [] { return std::make_unique<cpu::CpuBackend>(3); }},
              {.name = "cuda_on_host", .make = [] { return cuda_on_host_backend(); }},
              {.name = "cuda_as_plugin", .make = [] { return std::make_unique<plugin::PluginBackend>(*fer_cuda_plugin(), 0, DeviceOptions{}); }},
              {.name = "cuda_on_host_cudnn", .make = [] { return cuda_on_host_backend(Precision::kFp32, true); }},
              {.name = "cuda_on_host_tf32", .make = [] { return cuda_on_host_backend(Precision::kTf32); }, .tolerance = kTf32},
              {.name = "cuda_on_host_bf16", .make = [] { return cuda_on_host_backend(Precision::kBf16); }, .tolerance = kBf16}});
  for (const TestBackend& form : cpu_forms()) all.push_back(form);
  return all;
}

std::vector<TestBackend> network_backends() {
  if (const std::string device = asked_device(); !device.empty()) return {{.name = "asked", .make = [device] { return make_backend(device, {}); }}};
  std::vector<TestBackend> all = registered();
  all.push_back({.name = "cuda_on_host", .make = [] { return cuda_on_host_backend(); }, .most_multiply_adds = 2e9});
  all.push_back({.name = "cuda_on_host_cudnn", .make = [] { return cuda_on_host_backend(Precision::kFp32, true); }, .most_multiply_adds = 2e8});
  return all;
}

}  // namespace fer
