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
#include "base/cores.h"
#include "base/error.h"
#include "devices/registry.h"

namespace fer::addon {
namespace {

// useErrorClass(FerError): what every error thrown here is made with.
void use_error_class(const Napi::CallbackInfo& info) { Environment::of(info.Env()).error_class = Napi::Persistent(info[0].As<Napi::Function>()); }

Napi::Value augmented_image(const Napi::CallbackInfo& info) {
  const auto data = DataSetObject::get(info.Env(), info[0]);
  const uint32_t row = info[1].ToNumber().Uint32Value();
  if (row >= data->count()) throw Error("ERR_FER_ARGUMENT", "expected a row below " + std::to_string(data->count()) + ", got " + std::to_string(row));
  const auto options = info[2].As<Napi::Object>();
  const AugmentPass pass{.options = to_augmentation(options.Get("augmentation").As<Napi::Object>()),
                         .seed = seed(options),
                         .epoch = static_cast<uint32_t>(number(options, "epoch"))};
  const size_t pixels = static_cast<size_t>(data->size) * data->size;
  auto out = Napi::Float32Array::New(info.Env(), pixels);
  const Variant variant{.repeat = static_cast<uint32_t>(number(options, "repeat")), .strength = real(options, "strength")};
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

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  auto* environment = new Environment;
  env.SetInstanceData(environment);
  auto keep = [&](const char* name, const Napi::Function& constructor) {
    exports.Set(name, constructor);
    return Napi::Persistent(constructor);
  };
  environment->data_set = keep("DataSet", DataSetObject::define(env));
  environment->model = keep("Model", ModelObject::define(env));
  exports.Set("Trainer", TrainerObject::define(env));
  exports.Set("CsvParser", define_csv_parser(env));
  exports.Set("useErrorClass", function<use_error_class>(env));
  exports.Set("augmentedImage", function<augmented_image>(env));
  exports.Set("perturb", function<perturb>(env));
  exports.Set("describe", function<describe>(env));
  exports.Set("trainingOps", function<training_ops>(env));
  exports.Set("probeDevices", function<probe_devices>(env));
  exports.Set("systemInfo", function<system_info>(env));
  return exports;
}

}  // namespace
}  // namespace fer::addon

static Napi::Object initialise_addon(Napi::Env env, Napi::Object exports) { return fer::addon::initialise(env, exports); }
NODE_API_MODULE(fer_cudnn, initialise_addon)
