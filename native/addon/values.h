// JavaScript values to and from the core's types. What comes from JavaScript is checked here and nowhere else in the addon: numbers
// are numbers and in range, arrays have the element type that will be read. Whether they make sense together, lib/ and the core say.
#pragma once
#include <napi.h>

#include <memory>
#include <span>
#include <vector>

#include "network/plan.h"
#include "network/trainer.h"

namespace fer::addon {

// All of them throw ERR_FER_ARGUMENT: "expected ..., got ..., for <name>".
Napi::Object to_object(const Napi::Value& value, const char* name);
Napi::Array to_array(const Napi::Value& value, const char* name);
std::string to_text(const Napi::Value& value, const char* name);
double to_number(const Napi::Value& value, const char* name);  // finite
// A whole number; the largest that JavaScript holds exactly is 2^53 - 1.
constexpr int64_t kLargestWhole = (int64_t{1} << 53) - 1;
int64_t to_whole(const Napi::Value& value, const char* name, int64_t least = 0, int64_t most = kLargestWhole);

inline double number(const Napi::Object& object, const char* name) { return to_number(object.Get(name), name); }
inline float real(const Napi::Object& object, const char* name) { return static_cast<float>(number(object, name)); }
inline uint32_t counter(const Napi::Object& object, const char* name) {
  return static_cast<uint32_t>(to_whole(object.Get(name), name, 0, UINT32_MAX));
}
inline uint64_t seed(const Napi::Object& object) { return static_cast<uint64_t>(to_whole(object.Get("seed"), "seed")); }

// The elements of a typed array where they lie: valid until JavaScript runs again. T: uint8_t, uint32_t or float.
template <class T>
std::span<const T> elements(const Napi::Value& value, const char* name);
template <class T>
std::vector<T> copy_of(const Napi::Value& value, const char* name) {
  const std::span<const T> from = elements<T>(value, name);
  return {from.begin(), from.end()};
}

template <class T>
Napi::Array from_list(Napi::Env env, const std::vector<T>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) array.Set(i, values[i]);
  return array;
}

// Values that JavaScript takes over without a copy, where it allows that and they are many. A view of one ArrayBuffer.
template <class T>
Napi::TypedArrayOf<T> from_values(Napi::Env env, std::vector<T>&& values);

struct NamedTensor {
  std::string name;
  std::vector<int> shape;
  bool trainable = true;
  std::vector<float> data;
};
Napi::Array from_tensors(Napi::Env env, std::vector<NamedTensor>&& tensors);
// Values under their names that stay where JavaScript has them, held until this goes, on the event loop. Whoever lends them neither
// writes to them nor hands them on meanwhile.
struct LentTensors {
  struct One {
    std::string name;
    std::span<const float> data;
  };
  std::vector<One> tensors;
  std::vector<Napi::Reference<Napi::Value>> held;
};
// Of [{name, data}]; shapes are the network's business.
std::shared_ptr<LentTensors> to_tensors(const Napi::Value& value, const char* name);

Spec to_spec(const Napi::Value& value);
Augmentation to_augmentation(const Napi::Value& value);
DeviceOptions to_device_options(const Napi::Object& object);
TrainerOptions to_trainer_options(const Napi::Value& value);
EpochTotals to_totals(const Napi::Value& value);
Napi::Object from_totals(Napi::Env env, const EpochTotals& totals);

}  // namespace fer::addon
