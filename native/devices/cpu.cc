// The processor itself.
#include "base/cores.h"
#include "base/error.h"
#include "cpu/cpu_backend.h"
#include "devices/device.h"

namespace fer {
namespace {

std::unique_ptr<Backend> open(int, const DeviceOptions& options) {
  if (options.precision != Precision::kFp32) throw Error("ERR_FER_ARGUMENT", "expected precision fp32 on the CPU, which computes in nothing else");
  return std::make_unique<cpu::CpuBackend>(options.threads > 0 ? options.threads : usable_cores());
}

Probe probe() {
  return {.parts = {{.name = "kernels", .version = cpu::best_kernels().name, .found = cpu::best_kernels().name}},
          .units = {{.name = "CPU", .capability = cpu::best_kernels().name}}};
}

}  // namespace

const Device kCpu{.name = "cpu", .gpu = false, .open = open, .probe = probe};

}  // namespace fer
