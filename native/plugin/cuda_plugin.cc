#include "plugin/cuda_plugin.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "plugin/cuda_driver.h"
#include "plugin/plugin_backend.h"

namespace fer::plugin {
namespace {

constexpr const char* kFile = "fer-cudnn-cuda.so";
constexpr int kOldestCapability = 75;  // of the architectures the kernels are compiled for

std::string beside_this_binary() {
  Dl_info here{};
  dladdr(reinterpret_cast<void*>(&open_cuda_plugin), &here);
  return (std::filesystem::path(here.dli_fname ? here.dli_fname : "").parent_path() / kFile).string();
}

}  // namespace

CudaPlugin open_cuda_plugin() {
  CudaPlugin plugin;
  const char* given = std::getenv("FER_CUDA_PLUGIN");
  plugin.path = given && *given ? given : beside_this_binary();
  if (std::error_code error; !std::filesystem::exists(plugin.path, error)) {
    plugin.problem = "this build of fer-cudnn has no CUDA part: " + plugin.path +
                     " is not there. Prebuilt for linux-x64, it comes with the npm package; in a clone, build it with: npm run build:cuda";
    return plugin;
  }
  // Its symbols stay its own, and it stays: a CUDA run time is not to be unloaded.
  void* library = dlopen(plugin.path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    plugin.problem = std::string("the CUDA part of fer-cudnn cannot be opened: ") + dlerror();
    return plugin;
  }
  const auto entry = reinterpret_cast<EntryPoint>(dlsym(library, kCudaEntryPoint));
  const Table* table = entry ? entry() : nullptr;
  if (!table || std::strcmp(table->version, FER_VERSION) != 0)
    plugin.problem = plugin.path + " belongs to " + (table ? std::string("fer-cudnn ") + table->version : "another program") +
                     ", and this is fer-cudnn " + FER_VERSION + ": install or build both together";
  else plugin.table = table;
  return plugin;
}

std::unique_ptr<Backend> make_cuda_backend(int device, const DeviceOptions& options) {
  auto unavailable = [](const std::string& problem) -> void {
    throw Error("ERR_FER_DEVICE_UNAVAILABLE",
                problem + ". Nothing was run on another device instead; fer-cudnn doctor shows everything that was tried");
  };
  const CudaPlugin plugin = open_cuda_plugin();
  if (!plugin.table) unavailable(plugin.problem);
  const CudaDriver driver = probe_cuda_driver();
  if (!driver.problem.empty()) unavailable(driver.problem);
  if (device >= static_cast<int>(driver.gpus.size()))
    unavailable("there is no GPU cuda:" + std::to_string(device) + "; this machine has " +
                (driver.gpus.size() == 1 ? "cuda:0 alone" : "cuda:0 to cuda:" + std::to_string(driver.gpus.size() - 1)));
  if (const CudaGpu& gpu = driver.gpus[device]; 10 * gpu.major + gpu.minor < kOldestCapability)
    unavailable("cuda:" + std::to_string(device) + ", " + gpu.name + ", has compute capability " + std::to_string(gpu.major) + '.' +
                std::to_string(gpu.minor) + ", and 7.5 or higher is needed (Turing, 2018, or newer)");
  return std::make_unique<PluginBackend>(*plugin.table, device, options);
}

}  // namespace fer::plugin
