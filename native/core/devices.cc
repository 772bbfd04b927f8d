#include "core/devices.h"

#include <thread>

#include "core/error.h"

namespace fer {

std::unique_ptr<Backend> make_backend(const std::string& device, const DeviceOptions& options) {
  if (device == "cpu") {
    if (options.precision != Precision::kFp32) throw Error("ERR_FER_ARGUMENT", "expected precision fp32 on the CPU, which computes in nothing else");
    return make_cpu_backend(options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
  }
  throw Error("ERR_FER_DEVICE_UNAVAILABLE", "device \"" + device + "\" is not part of this build, which has: cpu. Nothing was run on another device instead");
}

}  // namespace fer
