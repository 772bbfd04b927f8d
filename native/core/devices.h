// The registry of backends: the only place that knows which devices this binary was built for.
#pragma once
#include <memory>
#include <string>

#include "backend.h"

namespace fer {

// device: "cpu". Throws ERR_FER_DEVICE_UNAVAILABLE; never falls back.
std::unique_ptr<Backend> make_backend(const std::string& device, const DeviceOptions& options);

}  // namespace fer
