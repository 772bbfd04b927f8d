#include "core/devices.h"

#include <charconv>
#include <optional>
#include <thread>

#include "core/error.h"
#include "plugin/cuda_plugin.h"

namespace fer {
namespace {

std::unique_ptr<Backend> make_cpu(const DeviceOptions& options) {
  if (options.precision != Precision::kFp32) throw Error("ERR_FER_ARGUMENT", "expected precision fp32 on the CPU, which computes in nothing else");
  return make_cpu_backend(options.threads > 0 ? options.threads : static_cast<int>(std::max(1u, std::thread::hardware_concurrency())));
}

// N of "cuda:N", 0 of "cuda".
std::optional<int> cuda_number(std::string_view name) {
  if (name == "cuda") return 0;
  if (!name.starts_with("cuda:")) return std::nullopt;
  name.remove_prefix(5);
  int number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size() || number < 0) return std::nullopt;
  return number;
}

}  // namespace

std::unique_ptr<Backend> make_backend(const std::string& device, const DeviceOptions& options) {
  if (device == "cpu") return make_cpu(options);
  if (const auto number = cuda_number(device)) return plugin::make_cuda_backend(*number, options);
  throw Error("ERR_FER_ARGUMENT", "expected auto, cpu, cuda or cuda:<number>, got \"" + device + "\", for device");
}

OpenedDevice open_device(const std::string& device, const DeviceOptions& options) {
  if (device != "auto") return {make_backend(device, options), device == "cuda" ? "cuda:0" : device, ""};
  try {
    return {make_backend("cuda:0", options), "cuda:0", "device auto: chose cuda:0"};
  } catch (const Error& error) {
    if (error.code() != "ERR_FER_DEVICE_UNAVAILABLE") throw;
    const std::string reason = error.what();
    return {make_backend("cpu", options), "cpu", "device auto: chose cpu, because " + reason.substr(0, reason.find(". "))};
  }
}

}  // namespace fer
