#include "addon/values.h"

#include "base/error.h"

namespace fer::addon {

Spec to_spec(const Napi::Object& object) {
  Spec spec;
  const auto stem = object.Get("stem").As<Napi::Array>(), modules = object.Get("modules").As<Napi::Array>();
  for (uint32_t i = 0; i < 2; ++i) spec.stem[i] = stem.Get(i).ToNumber().Int32Value();
  spec.modules.clear();
  for (uint32_t i = 0; i < modules.Length(); ++i) spec.modules.push_back(modules.Get(i).ToNumber().Int32Value());
  spec.classes = static_cast<int>(number(object, "classes"));
  spec.input_size = static_cast<int>(number(object, "inputSize"));
  return spec;
}

Augmentation to_augmentation(const Napi::Object& o) {
  const std::string fill = o.Get("fill").ToString();
  if (fill != "edge" && fill != "black") throw Error("ERR_FER_ARGUMENT", "expected edge or black, got " + fill + ", for fill");
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
          .black_fill = fill == "black",
          .nearest = real(o, "nearest")};
}

DeviceOptions to_device_options(const Napi::Object& o) {
  DeviceOptions options;
  options.threads = static_cast<int>(number(o, "threads"));
  const std::string precision = o.Get("precision").ToString();
  if (precision == "fp32") options.precision = Precision::kFp32;
  else if (precision == "tf32") options.precision = Precision::kTf32;
  else if (precision == "bf16") options.precision = Precision::kBf16;
  else throw Error("ERR_FER_ARGUMENT", "expected fp32, tf32 or bf16, got " + precision + ", for precision");
  return options;
}

TrainerOptions to_trainer_options(const Napi::Object& o) {
  TrainerOptions options;
  options.batch_size = static_cast<int>(number(o, "batchSize"));
  if (options.batch_size < 1) throw Error("ERR_FER_ARGUMENT", "expected a batch size of at least 1, got " + std::to_string(options.batch_size));
  const std::string optimizer = o.Get("optimizer").ToString();
  if (optimizer == "sgd") options.optimizer = OptimizerKind::kSgd;
  else if (optimizer == "adam") options.optimizer = OptimizerKind::kAdam;
  else if (optimizer == "adamw") options.optimizer = OptimizerKind::kAdamW;
  else throw Error("ERR_FER_ARGUMENT", "expected sgd, adam or adamw, got " + optimizer + ", for optimizer");
  options.momentum = real(o, "momentum");
  options.nesterov = o.Get("nesterov").ToBoolean();
  options.weight_decay = real(o, "weightDecay");
  options.beta1 = real(o, "beta1");
  options.beta2 = real(o, "beta2");
  options.epsilon = real(o, "epsilon");
  options.clip_norm = real(o, "clipNorm");
  options.label_smoothing = real(o, "labelSmoothing");
  options.class_weights = values<Napi::Float32Array>(o.Get("classWeights"));
  options.ema_decay = real(o, "emaDecay");
  options.seed = seed(o);
  options.augmentation = to_augmentation(o.Get("augmentation").As<Napi::Object>());
  options.sampling = {.balance = real(o, "balancedSampling"), .rare_augmentation = real(o, "rareAugmentation")};
  return options;
}

EpochTotals to_totals(const Napi::Object& o) {
  return {.loss_sum = number(o, "lossSum"),
          .correct = static_cast<int64_t>(number(o, "correct")),
          .seen = static_cast<int64_t>(number(o, "seen")),
          .step = static_cast<int64_t>(number(o, "step"))};
}

Napi::Float32Array from_floats(Napi::Env env, const std::vector<float>& values) {
  auto array = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

Napi::Object from_totals(Napi::Env env, const EpochTotals& totals) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("lossSum", totals.loss_sum);
  object.Set("correct", static_cast<double>(totals.correct));
  object.Set("seen", static_cast<double>(totals.seen));
  object.Set("step", static_cast<double>(totals.step));
  return object;
}

Napi::Object from_tensor(Napi::Env env, const std::string& name, const TensorInfo& info, const std::vector<float>& data) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", name);
  object.Set("shape", from_list(env, info.shape));
  object.Set("data", from_floats(env, data));
  object.Set("trainable", info.trainable);
  return object;
}

}  // namespace fer::addon
