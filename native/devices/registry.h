// The registry of devices: a new one is a line in the .cc file.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "devices/device.h"

namespace fer {

std::span<const Device* const> all_devices();
// The first that is no GPU: it computes in this process's own memory, and is always there.
const Device& host_device();

// device: a name of the registry, and for a GPU perhaps ":" and its number (0, where none is given).
// Throws ERR_FER_DEVICE_UNAVAILABLE; never falls back.
std::unique_ptr<Backend> make_backend(const std::string& device, const DeviceOptions& options);

struct OpenedDevice {
  std::unique_ptr<Backend> backend;
  std::string name;    // as make_backend takes it
  std::string choice;  // of "auto": what was chosen and why, a sentence; empty otherwise
};

// A name as above, or "auto": a GPU where one can be used, or else the first device that is none.
OpenedDevice open_device(const std::string& device, const DeviceOptions& options);

}  // namespace fer
