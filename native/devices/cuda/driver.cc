#include "devices/cuda/driver.h"

#include <dlfcn.h>

#include <cstdlib>

namespace fer::cuda {
namespace {

constexpr const char* kLibrary = "libcuda.so.1";
constexpr int kOldestVersion = 12000;
constexpr const char* kInstall =
    "Install NVIDIA driver 525.60.13 or later (Debian, Ubuntu: sudo apt-get install nvidia-driver; in a container: start it with --gpus all)";
constexpr int kNoDevice = 100;                         // CUDA_ERROR_NO_DEVICE
constexpr int kComputeMajor = 75, kComputeMinor = 76;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*

// The few functions of the driver's C interface that are needed; results are CUresult.
struct Interface {
  int (*init)(unsigned);
  int (*driver_version)(int*);
  int (*device_count)(int*);
  int (*device)(int* device, int ordinal);
  int (*device_name)(char* name, int capacity, int device);
  int (*attribute)(int* value, int attribute, int device);
  int (*total_memory)(size_t* bytes, int device);
  int (*error_name)(int result, const char** name);
};

bool load(void* library, Interface& f) {
  auto get = [&](const char* name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    return function != nullptr;
  };
  return get("cuInit", f.init) && get("cuDriverGetVersion", f.driver_version) && get("cuDeviceGetCount", f.device_count) &&
         get("cuDeviceGet", f.device) && get("cuDeviceGetName", f.device_name) && get("cuDeviceGetAttribute", f.attribute) &&
         get("cuDeviceTotalMem_v2", f.total_memory) && get("cuGetErrorName", f.error_name);
}

std::string visible_devices() {
  const char* value = std::getenv("CUDA_VISIBLE_DEVICES");
  return value ? std::string("; CUDA_VISIBLE_DEVICES is \"") + value + '"' : "";
}

}  // namespace

Driver probe_driver() {
  Driver driver;
  void* library = dlopen(kLibrary, RTLD_NOW);  // kept: the run time opens it too
  if (!library) {
    const std::string reason = dlerror();
    driver.problem = reason.find("No such file") != std::string::npos
                         ? std::string("no NVIDIA driver is installed: ") + kLibrary + " was not found. " + kInstall
                         : "the NVIDIA driver cannot be opened: " + reason;
    return driver;
  }
  driver.present = true;
  Interface f{};
  if (!load(library, f)) {
    driver.problem = std::string("the NVIDIA driver is too old: ") + kLibrary + " lacks functions of CUDA 12. " + kInstall;
    return driver;
  }
  f.driver_version(&driver.version);
  if (driver.version < kOldestVersion) {
    driver.problem = "the NVIDIA driver is too old: it runs CUDA up to " + driver.version_text() + ", and CUDA 12.0 is needed. " + kInstall;
    return driver;
  }
  int count = 0;
  int status = f.init(0);
  if (status == 0) status = f.device_count(&count);
  if (status != 0 && status != kNoDevice) {
    const char* name = nullptr;
    f.error_name(status, &name);
    driver.problem = std::string("the NVIDIA driver does not start: ") + (name ? name : "error") + " (" + std::to_string(status) +
                     "). Driver and kernel module may be of different versions; restart the machine, or see what nvidia-smi says";
    return driver;
  }
  for (int i = 0; i < count; ++i) {
    Gpu& gpu = driver.gpus.emplace_back();
    int device = 0;
    char name[256] = "";
    f.device(&device, i);
    f.device_name(name, sizeof name, device);
    gpu.name = name;
    f.attribute(&gpu.major, kComputeMajor, device);
    f.attribute(&gpu.minor, kComputeMinor, device);
    f.total_memory(&gpu.memory_bytes, device);
  }
  if (driver.gpus.empty()) driver.problem = "the NVIDIA driver finds no GPU (see what nvidia-smi says" + visible_devices() + ")";
  return driver;
}

}  // namespace fer::cuda
