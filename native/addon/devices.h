// probeDevices(): what each device of the registry needs and what of it this machine has.
#pragma once
#include <napi.h>

namespace fer::addon {

Napi::Value probe_devices(const Napi::CallbackInfo& info);

}  // namespace fer::addon
