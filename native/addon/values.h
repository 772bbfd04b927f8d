// JavaScript values to and from the core's types; ranges are checked in lib/, types here.
#pragma once
#include <napi.h>

#include <vector>

#include "network/plan.h"
#include "network/trainer.h"

namespace fer::addon {

inline double number(const Napi::Object& object, const char* name) { return object.Get(name).ToNumber().DoubleValue(); }
inline float real(const Napi::Object& object, const char* name) { return static_cast<float>(number(object, name)); }
inline uint64_t seed(const Napi::Object& object) { return static_cast<uint64_t>(number(object, "seed")); }

template <class Array>
auto values(const Napi::Value& value) {
  Array array = value.As<Array>();
  return std::vector<std::remove_pointer_t<decltype(array.Data())>>(array.Data(), array.Data() + array.ElementLength());
}

template <class T>
Napi::Array from_list(Napi::Env env, const std::vector<T>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) array.Set(i, values[i]);
  return array;
}

Spec to_spec(const Napi::Object& object);
Augmentation to_augmentation(const Napi::Object& object);
DeviceOptions to_device_options(const Napi::Object& object);
TrainerOptions to_trainer_options(const Napi::Object& object);
EpochTotals to_totals(const Napi::Object& object);
Napi::Float32Array from_floats(Napi::Env env, const std::vector<float>& values);
Napi::Object from_totals(Napi::Env env, const EpochTotals& totals);
Napi::Object from_tensor(Napi::Env env, const std::string& name, const TensorInfo& info, const std::vector<float>& data);

}  // namespace fer::addon
