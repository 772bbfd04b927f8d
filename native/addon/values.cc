#include "addon/values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace fer::addon {
namespace {

// How a message calls what it got: "Uint8Array", "undefined", "-1", "\"abc\"".
std::string shown(const Napi::Value& value) {
  if (value.IsObject()) {
    const Napi::Value constructor = value.As<Napi::Object>().Get("constructor");
    if (constructor.IsFunction()) return constructor.As<Napi::Object>().Get("name").ToString();
    return "an object";
  }
  if (value.IsString()) return '"' + value.As<Napi::String>().Utf8Value() + '"';
  if (value.IsSymbol()) return "a symbol";
  return value.ToString();
}

[[noreturn]] void fail(const std::string& expected, const Napi::Value& got, const char* name) {
  throw Error("ERR_FER_ARGUMENT", "expected " + expected + ", got " + shown(got) + ", for " + name);
}

template <class T>
struct ArrayOf;
template <>
struct ArrayOf<uint8_t> {
  static constexpr napi_typedarray_type kType = napi_uint8_array;
  static constexpr const char* kName = "a Uint8Array";
};
template <>
struct ArrayOf<uint32_t> {
  static constexpr napi_typedarray_type kType = napi_uint32_array;
  static constexpr const char* kName = "a Uint32Array";
};
template <>
struct ArrayOf<float> {
  static constexpr napi_typedarray_type kType = napi_float32_array;
  static constexpr const char* kName = "a Float32Array";
};

template <class Enum>
struct Choice {
  const char* word;
  Enum value;
};
template <class Enum, size_t n>
Enum to_choice(const Napi::Object& object, const char* name, const Choice<Enum> (&choices)[n]) {
  const Napi::Value value = object.Get(name);
  std::string expected;
  for (size_t i = 0; i < n; ++i) {
    if (value.IsString() && value.As<Napi::String>().Utf8Value() == choices[i].word) return choices[i].value;
    expected += (i == 0 ? "" : i + 1 < n ? ", " : " or ") + std::string(choices[i].word);
  }
  fail(expected, value, name);
}

}  // namespace

Napi::Object to_object(const Napi::Value& value, const char* name) {
  if (!value.IsObject()) fail("an object", value, name);
  return value.As<Napi::Object>();
}

Napi::Array to_array(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) fail("an array", value, name);
  return value.As<Napi::Array>();
}

std::string to_text(const Napi::Value& value, const char* name) {
  if (!value.IsString()) fail("a text", value, name);
  return value.As<Napi::String>();
}

double to_number(const Napi::Value& value, const char* name) {
  if (!value.IsNumber() || !std::isfinite(value.As<Napi::Number>().DoubleValue())) fail("a finite number", value, name);
  return value.As<Napi::Number>();
}

int64_t to_whole(const Napi::Value& value, const char* name, int64_t least, int64_t most) {
  const double got = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::numeric_limits<double>::quiet_NaN();
  if (!(got >= static_cast<double>(least) && got <= static_cast<double>(most)) || got != std::floor(got))
    fail("a whole number from " + std::to_string(least) + " to " + std::to_string(most), value, name);
  return static_cast<int64_t>(got);
}

template <class T>
std::span<const T> elements(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != ArrayOf<T>::kType) fail(ArrayOf<T>::kName, value, name);
  const auto array = value.As<Napi::TypedArrayOf<T>>();
  return {array.Data(), array.ElementLength()};
}
template std::span<const uint8_t> elements(const Napi::Value&, const char*);
template std::span<const uint32_t> elements(const Napi::Value&, const char*);
template std::span<const float> elements(const Napi::Value&, const char*);

Spec to_spec(const Napi::Value& value) {
  const Napi::Object object = to_object(value, "spec");
  const Napi::Array stem = to_array(object.Get("stem"), "width.stem"), modules = to_array(object.Get("modules"), "width.modules");
  auto whole = [](const Napi::Value& from, const char* name) { return static_cast<int>(to_whole(from, name, 0, INT32_MAX)); };
  Spec spec;
  for (uint32_t i = 0; i < 2; ++i) spec.stem[i] = whole(stem.Get(i), "width.stem");
  spec.modules.clear();
  for (uint32_t i = 0; i < modules.Length(); ++i) spec.modules.push_back(whole(modules.Get(i), "width.modules"));
  spec.classes = whole(object.Get("classes"), "classes");
  spec.input_size = whole(object.Get("inputSize"), "inputSize");
  return spec;
}

Augmentation to_augmentation(const Napi::Value& value) {
  const Napi::Object o = to_object(value, "augmentation");
  return {.flip = real(o, "flip"),
          .geometric = real(o, "geometric"),
          .rotation = real(o, "rotation"),
          .shift = real(o, "shift"),
          .zoom = real(o, "zoom"),
          .photometric = real(o, "photometric"),
          .brightness = real(o, "brightness"),
          .contrast = real(o, "contrast"),
          .cutout = real(o, "cutout"),
          .cutout_size = real(o, "cutoutSize"),
          .black_fill = to_choice<bool>(o, "fill", {{"edge", false}, {"black", true}}),
          .nearest = real(o, "nearest")};
}

DeviceOptions to_device_options(const Napi::Object& o) {
  DeviceOptions options;
  options.threads = static_cast<int>(to_whole(o.Get("threads"), "threads", 0, INT32_MAX));
  options.precision = to_choice<Precision>(o, "precision", {{"fp32", Precision::kFp32}, {"tf32", Precision::kTf32}, {"bf16", Precision::kBf16}});
  return options;
}

TrainerOptions to_trainer_options(const Napi::Value& value) {
  const Napi::Object o = to_object(value, "options");
  TrainerOptions options;
  options.batch_size = static_cast<int>(to_whole(o.Get("batchSize"), "batchSize", 1, 1 << 20));
  options.optimizer =
      to_choice<OptimizerKind>(o, "optimizer", {{"sgd", OptimizerKind::kSgd}, {"adam", OptimizerKind::kAdam}, {"adamw", OptimizerKind::kAdamW}});
  options.momentum = real(o, "momentum");
  options.nesterov = o.Get("nesterov").ToBoolean();
  options.weight_decay = real(o, "weightDecay");
  options.beta1 = real(o, "beta1");
  options.beta2 = real(o, "beta2");
  options.epsilon = real(o, "epsilon");
  options.clip_norm = real(o, "clipNorm");
  options.label_smoothing = real(o, "labelSmoothing");
  options.class_weights = copy_of<float>(o.Get("classWeights"), "classWeights");
  options.ema_decay = real(o, "emaDecay");
  options.distillation = real(o, "distill");
  options.temperature = real(o, "temperature");
  options.seed = seed(o);
  options.augmentation = to_augmentation(o.Get("augmentation"));
  options.sampling = {.balance = real(o, "balancedSampling"), .rare_augmentation = real(o, "rareAugmentation")};
  return options;
}

EpochTotals to_totals(const Napi::Value& value) {
  const Napi::Object o = to_object(value, "from");
  return {.loss_sum = number(o, "lossSum"),
          .correct = to_whole(o.Get("correct"), "correct"),
          .seen = to_whole(o.Get("seen"), "seen"),
          .step = to_whole(o.Get("step"), "step")};
}

template <class T>
Napi::TypedArrayOf<T> from_values(Napi::Env env, std::vector<T>&& values) {
  constexpr size_t kFew = 4096;  // bytes below which a copy is cheaper than memory of one's own
  const size_t bytes = values.size() * sizeof(T);
  if (bytes < kFew) {
    auto array = Napi::TypedArrayOf<T>::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
  }
  auto* owned = new std::vector<T>(std::move(values));
  // Copies where the JavaScript engine keeps its memory apart (Electron).
  const auto buffer =
      Napi::Buffer<uint8_t>::NewOrCopy(env, reinterpret_cast<uint8_t*>(owned->data()), bytes, [owned](Napi::Env, uint8_t*) { delete owned; });
  // Not a Buffer: its slice() would not copy.
  return Napi::TypedArrayOf<T>::New(env, bytes / sizeof(T), buffer.ArrayBuffer(), buffer.ByteOffset());
}
template Napi::TypedArrayOf<uint8_t> from_values(Napi::Env, std::vector<uint8_t>&&);
template Napi::TypedArrayOf<float> from_values(Napi::Env, std::vector<float>&&);

Napi::Object from_totals(Napi::Env env, const EpochTotals& totals) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("lossSum", totals.loss_sum);
  object.Set("correct", static_cast<double>(totals.correct));
  object.Set("seen", static_cast<double>(totals.seen));
  object.Set("step", static_cast<double>(totals.step));
  return object;
}

Napi::Array from_tensors(Napi::Env env, std::vector<NamedTensor>&& tensors) {
  Napi::Array array = Napi::Array::New(env, tensors.size());
  for (uint32_t i = 0; i < tensors.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", tensors[i].name);
    object.Set("shape", from_list(env, tensors[i].shape));
    object.Set("data", from_values(env, std::move(tensors[i].data)));
    object.Set("trainable", tensors[i].trainable);
    array.Set(i, object);
  }
  return array;
}

std::shared_ptr<LentTensors> to_tensors(const Napi::Value& value, const char* name) {
  const Napi::Array array = to_array(value, name);
  auto lent = std::make_shared<LentTensors>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Object object = to_object(array.Get(i), name);
    const std::string tensor = to_text(object.Get("name"), name);
    const Napi::Value data = object.Get("data");
    lent->tensors.push_back({tensor, elements<float>(data, tensor.c_str())});
    lent->held.push_back(Napi::Reference<Napi::Value>::New(data, 1));
  }
  return lent;
}

}  // namespace fer::addon
