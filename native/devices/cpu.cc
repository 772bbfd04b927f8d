// The processor itself.
#include "base/error.h"
#include "base/resources.h"
#include "cpu/cpu_backend.h"
#include "cpu/instruction_sets.h"
#include "devices/device.h"

namespace fer {
namespace {

std::unique_ptr<Backend> open(int, const DeviceOptions& options) {
  return std::make_unique<cpu::CpuBackend>(options.threads > 0 ? options.threads : usable_cores(), cpu::kernels_for(options.precision));
}

Probe probe() try {
  const cpu::InstructionSet& set = cpu::instruction_set();
  return {.parts = {{.name = "kernels", .version = set.name, .found = set.name}},
          .units = {{.name = "CPU", .capability = std::string(set.name) + (set.bf16_in_hardware ? "" : ", bf16 in software")}}};
} catch (const Error& error) {  // FER_ISA
  return {.parts = {{.name = "kernels", .problem = error.what()}}, .units = {{.name = "CPU", .capability = "none"}}};
}

}  // namespace

const Device kCpu{.name = "cpu", .gpu = false, .open = open, .probe = probe};

}  // namespace fer
