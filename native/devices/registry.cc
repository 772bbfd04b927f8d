#include "devices/registry.h"

#include <charconv>

#include "base/error.h"

namespace fer {
namespace {

constexpr const Device* kDevices[] = {&kCpu, &kCuda};

struct Named {
  const Device* device = nullptr;
  int number = 0;
  std::string name;  // with its number, where it has one
};

std::string numbered(const Device& device, int number) { return device.gpu ? std::string(device.name) + ':' + std::to_string(number) : device.name; }

// Device null where no device has that name.
Named find(std::string_view text) {
  const size_t colon = text.find(':');
  for (const Device* device : kDevices) {
    if (text.substr(0, colon) != device->name) continue;
    int number = 0;
    if (colon != std::string_view::npos) {
      const std::string_view digits = text.substr(colon + 1);
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (!device->gpu || error != std::errc{} || end != digits.data() + digits.size() || number < 0) return {};
    }
    return {.device = device, .number = number, .name = numbered(*device, number)};
  }
  return {};
}

Named known(const std::string& text) {
  const Named named = find(text);
  if (named.device) return named;
  std::vector<std::string> all = {"auto"};
  for (const Device* device : kDevices) {
    all.emplace_back(device->name);
    if (device->gpu) all.push_back(std::string(device->name) + ":<number>");
  }
  std::string names;
  for (size_t i = 0; i < all.size(); ++i) names.append(i == 0 ? "" : i + 1 < all.size() ? ", " : " or ").append(all[i]);
  throw Error("ERR_FER_ARGUMENT", "expected " + names + ", got \"" + text + "\", for device");
}

OpenedDevice open(const Named& named, const DeviceOptions& options) {
  return {.backend = named.device->open(named.number, options), .name = named.name, .choice = ""};
}

OpenedDevice open_best(const DeviceOptions& options) {
  std::string reasons;
  for (const bool gpu : {true, false})
    for (const Device* device : kDevices) {
      if (device->gpu != gpu) continue;
      try {
        OpenedDevice opened = open(find(device->name), options);
        opened.choice = "device auto: chose " + opened.name + (reasons.empty() ? "" : ", because " + reasons);
        return opened;
      } catch (const Error& error) {
        if (error.code() != "ERR_FER_DEVICE_UNAVAILABLE") throw;
        const std::string reason = error.what();
        reasons += (reasons.empty() ? "" : ", and ") + reason.substr(0, reason.find(". "));
      }
    }
  throw Error("ERR_FER_DEVICE_UNAVAILABLE", reasons);
}

}  // namespace

std::span<const Device* const> all_devices() { return kDevices; }
const Device& host_device() {
  for (const Device* device : kDevices)
    if (!device->gpu) return *device;
  throw Error("ERR_FER_NATIVE", "the registry of devices has none but GPUs");
}

std::unique_ptr<Backend> make_backend(const std::string& device, const DeviceOptions& options) { return open(known(device), options).backend; }

OpenedDevice open_device(const std::string& device, const DeviceOptions& options) {
  return device == "auto" ? open_best(options) : open(known(device), options);
}

}  // namespace fer
