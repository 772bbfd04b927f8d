#include "addon/devices.h"

#include "addon/values.h"
#include "devices/registry.h"

namespace fer::addon {

Napi::Value probe_devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Array devices = Napi::Array::New(env);
  for (const Device* device : all_devices()) {
    const Probe probe = device->probe();
    Napi::Array parts = Napi::Array::New(env), units = Napi::Array::New(env);
    for (const Part& part : probe.parts) {
      Napi::Object object = Napi::Object::New(env);
      object.Set("name", part.name);
      object.Set("version", part.version);
      object.Set("found", part.found);
      object.Set("problem", part.problem);
      object.Set("without", part.without);
      object.Set("searched", from_list(env, part.searched));
      parts.Set(parts.Length(), object);
    }
    for (const Unit& unit : probe.units) {
      Napi::Object object = Napi::Object::New(env);
      object.Set("name", unit.name);
      object.Set("capability", unit.capability);
      object.Set("memoryBytes", static_cast<double>(unit.memory_bytes));
      units.Set(units.Length(), object);
    }
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", device->name);
    object.Set("gpu", device->gpu);
    object.Set("parts", parts);
    object.Set("units", units);
    devices.Set(devices.Length(), object);
  }
  return devices;
}

}  // namespace fer::addon
