#include "core/devices.h"

#include <thread>

#include "core/error.h"

namespace fer {

std::unique_ptr<Backend> make_backend(const std::string& device, int threads) {
  if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  if (device == "cpu") return make_cpu_backend(threads);
  throw Error("ERR_FER_DEVICE_UNAVAILABLE", "device \"" + device + "\" is not part of this build, which has: cpu. Nothing was run on another device instead");
}

}  // namespace fer
