// The registry of devices: the only place that knows their names.
#pragma once
#include <memory>
#include <string>

#include "backend.h"

namespace fer {

// device: "cpu", "cuda" (which is "cuda:0") or "cuda:N". Throws ERR_FER_DEVICE_UNAVAILABLE; never falls back.
std::unique_ptr<Backend> make_backend(const std::string& device, const DeviceOptions& options);

struct OpenedDevice {
  std::unique_ptr<Backend> backend;
  std::string name;    // as make_backend takes it
  std::string choice;  // of "auto": what was chosen and why, a sentence; empty otherwise
};

// A name as above, or "auto": a GPU where one can be used, or else the CPU.
OpenedDevice open_device(const std::string& device, const DeviceOptions& options);

}  // namespace fer
