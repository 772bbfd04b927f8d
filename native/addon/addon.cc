// The addon's table of contents; lib/native.ts is its typed mirror.
#include <napi.h>

#include "addon/callbacks.h"
#include "addon/csv_parser.h"
#include "addon/data_set.h"
#include "addon/describe.h"
#include "addon/devices.h"
#include "addon/model.h"
#include "addon/perturb.h"
#include "addon/trainer.h"
#include "addon/values.h"
#include "base/error.h"
#include "base/resources.h"
#include "devices/registry.h"

namespace fer::addon {
namespace {

// useErrorClass(FerError): what every error thrown here is made with.
void use_error_class(const Napi::CallbackInfo& info) { Environment::of(info.Env()).error_class = Napi::Persistent(info[0].As<Napi::Function>()); }

Napi::Value augmented_image(const Napi::CallbackInfo& info) {
  const auto data = DataSetObject::get(info[0]);
  const auto row = static_cast<uint32_t>(to_whole(info[1], "index", 0, static_cast<int64_t>(data->count()) - 1));
  const Napi::Object options = to_object(info[2], "options");
  const AugmentPass pass{.options = to_augmentation(options.Get("augmentation")), .seed = seed(options), .epoch = counter(options, "epoch")};
  const size_t pixels = data->pixels();
  auto out = Napi::Float32Array::New(info.Env(), pixels);
  const Variant variant{.repeat = counter(options, "repeat"), .strength = real(options, "strength")};
  augment(data->images.data() + row * pixels, data->size, row, variant, &pass, data->size, out.Data());
  return out;
}

Napi::Value system_info(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("isa", host_device().probe().units[0].capability);
  object.Set("cores", usable_cores());

  object.Set("compiler", __VERSION__);
  return object;
}

// requireMemory(bytes, what)
void require_memory(const Napi::CallbackInfo& info) {
  fer::require_memory(static_cast<size_t>(to_whole(info[0], "bytes")), to_text(info[1], "what"));
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment);
  exports.Set("DataSet", DataSetObject::define(env));
  exports.Set("Model", ModelObject::define(env));
  exports.Set("Trainer", TrainerObject::define(env));
  exports.Set("CsvParser", define_csv_parser(env));
  exports.Set("useErrorClass", function<use_error_class>(env));
  exports.Set("augmentedImage", function<augmented_image>(env));
  exports.Set("perturb", function<perturb>(env));
  exports.Set("describe", function<describe>(env));
  exports.Set("trainingOps", function<training_ops>(env));
  exports.Set("probeDevices", function<probe_devices>(env));
  exports.Set("requireMemory", function<require_memory>(env));
  exports.Set("systemInfo", function<system_info>(env));
  return exports;
}

}  // namespace
}  // namespace fer::addon

static Napi::Object initialise_addon(Napi::Env env, Napi::Object exports) { return fer::addon::initialise(env, exports); }
NODE_API_MODULE(fer_cudnn, initialise_addon)
