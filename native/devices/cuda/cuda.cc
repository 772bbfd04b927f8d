// NVIDIA GPUs, by way of the plug-in.
#include <filesystem>

#include "base/error.h"
#include "devices/cuda/cudnn_library.h"
#include "devices/cuda/driver.h"
#include "devices/cuda/plugin_file.h"
#include "devices/device.h"
#include "plugin/plugin_backend.h"

namespace fer::cuda {
namespace {

constexpr int kOldestCapability = 75;  // of the architectures the kernels are compiled for

std::string name_of(size_t number) { return std::string(kCuda.name) + ':' + std::to_string(number); }
std::string capability(const Gpu& gpu) { return std::to_string(gpu.major) + '.' + std::to_string(gpu.minor); }

std::unique_ptr<Backend> open(int number, const DeviceOptions& options) {
  auto unavailable = [](const std::string& problem) -> void {
    throw Error("ERR_FER_DEVICE_UNAVAILABLE",
                problem + ". Nothing was run on another device instead; fer-cudnn doctor shows everything that was tried");
  };
  const PluginFile file = open_plugin_file();
  if (!file.table) unavailable(file.problem);
  const Driver driver = probe_driver();
  if (!driver.problem.empty()) unavailable(driver.problem);
  const std::string name = name_of(number);
  if (number >= static_cast<int>(driver.gpus.size()))
    unavailable("there is no GPU " + name + "; this machine has " +
                (driver.gpus.size() == 1 ? name_of(0) + " alone" : name_of(0) + " to " + name_of(driver.gpus.size() - 1)));
  if (const Gpu& gpu = driver.gpus[number]; 10 * gpu.major + gpu.minor < kOldestCapability)
    unavailable(name + ", " + gpu.name + ", has compute capability " + capability(gpu) + ", and 7.5 or higher is needed (Turing, 2018, or newer)");
  DeviceOptions named = options;
  named.name = name.c_str();
  return std::make_unique<plugin::PluginBackend>(*file.table, number, named);
}

Probe probe() {
  const PluginFile file = open_plugin_file();
  const Driver driver = probe_driver();
  const CudnnProbe cudnn = CudnnLibrary::probe();
  Probe found;
  found.parts = {{.name = "CUDA part",
                  .version = file.table ? file.table->run_time : "",
                  .found = file.table ? std::filesystem::path(file.path).filename().string() + ", " + file.table->run_time + " run time inside" : "",
                  .problem = file.problem},
                 {.name = "NVIDIA driver",
                  .version = driver.version ? driver.version_text() : "",
                  .found = driver.version ? "runs CUDA up to " + driver.version_text() : "",
                  .problem = driver.problem},
                 {.name = "cuDNN",
                  .version = cudnn.version ? cudnn.version_text() : "",
                  .found = cudnn.version ? cudnn.version_text() + " at " + cudnn.library + (cudnn.note.empty() ? "" : "; " + cudnn.note) : "",
                  .problem = cudnn.problem,
                  .without = std::string("Without it \"") + kCuda.name + "\" works on the package's own kernels alone",
                  .searched = cudnn.library.empty() ? cudnn.searched : std::vector<std::string>{}}};
  for (const Gpu& gpu : driver.gpus) found.units.push_back({.name = gpu.name, .capability = capability(gpu), .memory_bytes = gpu.memory_bytes});
  return found;
}

}  // namespace
}  // namespace fer::cuda

namespace fer {

const Device kCuda{.name = "cuda", .gpu = true, .open = cuda::open, .probe = cuda::probe};

}  // namespace fer
