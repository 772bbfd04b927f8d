#include "addon/model.h"

#include <numeric>

#include "addon/data_set.h"
#include "addon/values.h"
#include "base/error.h"
#include "devices/registry.h"
#include "network/explain.h"

namespace fer::addon {
namespace {

// Work below this runs at once: starting a thread would take longer.
constexpr int64_t kInstantMultiplyAdds = 50'000'000;

struct Inference {
  std::shared_ptr<SharedNetwork> model;
  std::shared_ptr<const DataSet> data;  // or `images`
  std::vector<uint8_t> images;
  std::vector<uint32_t> rows;
  bool flip = false;
  std::vector<float> logits;
};

Napi::Promise run_inference(Napi::Env env, const std::shared_ptr<Inference>& inference) {
  Job job;
  job.work = [inference] {
    std::lock_guard lock(inference->model->busy);
    const uint8_t* images = inference->data ? inference->data->images.data() : inference->images.data();
    inference->logits =
        inference->model->network->infer(images, inference->data ? inference->data->size : inference->model->network->plan().spec.input_size,
                                         inference->rows.data(), inference->rows.size(), inference->flip);
  };
  job.result = [inference](Napi::Env env) -> Napi::Value { return from_floats(env, inference->logits); };
  const int64_t work = static_cast<int64_t>(inference->rows.size()) * inference->model->network->plan().multiply_adds;
  const bool idle = inference->model->busy.try_lock();
  if (idle) inference->model->busy.unlock();
  return idle && work < kInstantMultiplyAdds ? run_now(env, std::move(job)) : start(env, std::move(job));
}

}  // namespace

Napi::Function ModelObject::define(Napi::Env env) {
  return DefineClass(
      env, "Model",
      {accessor<&ModelObject::parameter_count>("parameterCount"), accessor<&ModelObject::multiply_adds>("multiplyAdds"),
       accessor<&ModelObject::threads>("threads"), accessor<&ModelObject::device>("device"),
       accessor<&ModelObject::device_description>("deviceDescription"), accessor<&ModelObject::device_choice>("deviceChoice"),
       accessor<&ModelObject::precision>("precision"), method<&ModelObject::tensors>("tensors"), method<&ModelObject::set_tensor>("setTensor"),
       method<&ModelObject::logits>("logits"), method<&ModelObject::logits_of>("logitsOf"), method<&ModelObject::explain>("explain"),
       method<&ModelObject::memory_bytes>("memoryBytes"), method<&ModelObject::dispose>("dispose")});
}

ModelObject::ModelObject(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] {
    const auto options = info[1].As<Napi::Object>();
    OpenedDevice opened = open_device(options.Get("device").ToString(), to_device_options(options));
    device_ = opened.name;
    device_choice_ = opened.choice;
    precision_ = options.Get("precision").ToString();
    shared_ = std::make_shared<SharedNetwork>(to_spec(info[0].As<Napi::Object>()), std::move(opened.backend), seed(options));
    accounted_ = static_cast<int64_t>(shared_->network->bytes());
    account(info.Env(), accounted_);
  });
}

ModelObject::~ModelObject() {
  if (accounted_) account(Env(), -accounted_);
}

std::shared_ptr<SharedNetwork> ModelObject::get(Napi::Env env, const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(Environment::of(env).model.Value()))
    throw Error("ERR_FER_ARGUMENT", "expected a native Model");
  return Unwrap(value.As<Napi::Object>())->live();
}

std::shared_ptr<SharedNetwork> ModelObject::live() const {
  if (!shared_) throw Error("ERR_FER_DISPOSED", "this model was disposed");
  return shared_;
}

Napi::Value ModelObject::parameter_count(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(live()->network->plan().parameter_count));
}
Napi::Value ModelObject::multiply_adds(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(live()->network->plan().multiply_adds));
}
Napi::Value ModelObject::threads(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), live()->network->backend().threads()); }
Napi::Value ModelObject::device(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), device_); }
Napi::Value ModelObject::device_choice(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), device_choice_); }
Napi::Value ModelObject::precision(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), precision_); }
Napi::Value ModelObject::device_description(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), live()->network->backend().description());
}

Napi::Value ModelObject::tensors(const Napi::CallbackInfo& info) {
  const auto shared = live();
  std::lock_guard lock(shared->busy);
  const auto& all = shared->network->plan().tensors;
  Napi::Array array = Napi::Array::New(info.Env(), all.size());
  for (uint32_t i = 0; i < all.size(); ++i) array.Set(i, from_tensor(info.Env(), all[i].name, all[i], shared->network->read(all[i])));
  return array;
}

void ModelObject::set_tensor(const Napi::CallbackInfo& info) {
  const auto shared = live();
  std::lock_guard lock(shared->busy);
  const std::string name = info[0].ToString();
  shared->network->write(shared->network->tensor(name), values<Napi::Float32Array>(info[1]));
}

Napi::Value ModelObject::logits(const Napi::CallbackInfo& info) {
  auto inference = std::make_shared<Inference>();
  inference->model = live();
  const int size = inference->model->network->plan().spec.input_size;
  inference->images = values<Napi::Uint8Array>(info[0]);
  const auto count = static_cast<size_t>(info[1].ToNumber().DoubleValue());
  if (inference->images.size() != count * size * size)
    throw Error("ERR_FER_ARGUMENT",
                "expected " + std::to_string(count * size * size) + " bytes of images, got " + std::to_string(inference->images.size()));
  inference->rows.resize(count);
  std::iota(inference->rows.begin(), inference->rows.end(), 0u);
  return run_inference(info.Env(), inference);
}

Napi::Value ModelObject::logits_of(const Napi::CallbackInfo& info) {
  auto inference = std::make_shared<Inference>();
  inference->model = live();
  inference->data = DataSetObject::get(info.Env(), info[0]);
  inference->rows = values<Napi::Uint32Array>(info[1]);
  inference->flip = info[2].ToBoolean();
  for (uint32_t row : inference->rows)
    if (row >= inference->data->count())
      throw Error("ERR_FER_ARGUMENT", "expected rows below " + std::to_string(inference->data->count()) + ", got " + std::to_string(row));
  return run_inference(info.Env(), inference);
}

Napi::Value ModelObject::explain(const Napi::CallbackInfo& info) {
  struct Explanation {
    std::vector<uint8_t> image;
    ExplainRequest request;
    Sensitivity found;
  };
  const auto model = live();
  const int size = model->network->plan().spec.input_size;
  const auto options = info[1].As<Napi::Object>();
  auto explanation = std::make_shared<Explanation>();
  explanation->image = values<Napi::Uint8Array>(info[0]);
  if (explanation->image.size() != static_cast<size_t>(size) * size)
    throw Error("ERR_FER_ARGUMENT",
                "expected " + std::to_string(size * size) + " bytes of an image, got " + std::to_string(explanation->image.size()));
  explanation->request = {
      .layer = options.Get("layer").ToString(), .target = static_cast<int>(number(options, "target")), .guided = options.Get("guided").ToBoolean()};
  Job job;
  job.work = [model, explanation, size] {
    std::lock_guard lock(model->busy);
    explanation->found = fer::explain(*model->network, explanation->image.data(), size, explanation->request);
  };
  job.result = [explanation](Napi::Env env) -> Napi::Value {
    const Sensitivity& found = explanation->found;
    Napi::Object object = Napi::Object::New(env);
    object.Set("logits", from_floats(env, found.logits));
    object.Set("target", found.target);
    object.Set("size", found.size);
    object.Set("channels", found.channels);
    object.Set("gradient", from_floats(env, found.gradient));
    object.Set("gradCam", from_floats(env, grad_cam(found)));
    return object;
  };
  return start(info.Env(), std::move(job));
}

Napi::Value ModelObject::memory_bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(live()->network->bytes()));
}

void ModelObject::dispose(const Napi::CallbackInfo& info) {
  shared_.reset();
  account(info.Env(), -accounted_);
  accounted_ = 0;
}

}  // namespace fer::addon
