#include "addon/model.h"

#include <numeric>

#include "addon/data_set.h"
#include "base/error.h"
#include "devices/registry.h"
#include "network/explain.h"

namespace fer::addon {
namespace {

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
    Network& network = *inference->model->network;
    const DataSet* data = inference->data.get();
    inference->logits = network.infer(data ? data->images.data() : inference->images.data(), data ? data->size : network.plan().spec.input_size,
                                      inference->rows.data(), inference->rows.size(), inference->flip);
  };
  job.result = [inference](Napi::Env env) -> Napi::Value { return from_values(env, std::move(inference->logits)); };
  return with_network(env, inference->model, std::move(job));
}

}  // namespace

Napi::Promise with_network(Napi::Env env, const std::shared_ptr<SharedNetwork>& model, Job job) {
  job.work = [model, work = std::move(job.work)] {
    std::lock_guard lock(model->turns);
    if (model->failure) std::rethrow_exception(model->failure);
    work();
    model->bytes = model->network->bytes();
  };
  return queue_of(env).add(env, model.get(), std::move(job));
}

std::vector<NamedTensor> read_tensors(const Network& network, const std::string& prefix, const float* parameters, const float* statistics) {
  std::vector<NamedTensor> tensors;
  for (const TensorInfo& tensor : network.plan().tensors)
    if (const float* base = tensor.trainable ? parameters : statistics)
      tensors.push_back({prefix + tensor.name, tensor.shape, tensor.trainable, network.read_from(base, tensor)});
  return tensors;
}

Napi::Function ModelObject::define(Napi::Env env) {
  return DefineClass(
      env, "Model",
      {accessor<&ModelObject::parameter_count>("parameterCount"), accessor<&ModelObject::multiply_adds>("multiplyAdds"),
       accessor<&ModelObject::threads>("threads"), accessor<&ModelObject::device>("device"),
       accessor<&ModelObject::device_description>("deviceDescription"), accessor<&ModelObject::device_choice>("deviceChoice"),
       accessor<&ModelObject::precision>("precision"), method<&ModelObject::initialise>("initialise"), method<&ModelObject::tensors>("tensors"),
       method<&ModelObject::set_tensors>("setTensors"), method<&ModelObject::logits>("logits"), method<&ModelObject::logits_of>("logitsOf"),
       method<&ModelObject::explain>("explain"), method<&ModelObject::memory_bytes>("memoryBytes"), method<&ModelObject::dispose>("dispose")});
}

// new Model(spec, {device, threads, precision}): weights are zero until `initialise` or `setTensors`.
ModelObject::ModelObject(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] {
    const Napi::Object options = to_object(info[1], "options");
    OpenedDevice opened = open_device(to_text(options.Get("device"), "device"), to_device_options(options));
    device_ = opened.name;
    device_choice_ = opened.choice;
    precision_ = options.Get("precision").ToString();
    shared_ = std::make_shared<SharedNetwork>(to_spec(info[0]), std::move(opened.backend));
    shared_->bytes = shared_->network->bytes();
    accounted_ = static_cast<int64_t>(shared_->bytes);
    account(info.Env(), accounted_);
  });
}

ModelObject::~ModelObject() {
  if (accounted_) account(Env(), -accounted_);
}

std::shared_ptr<SharedNetwork> ModelObject::get(const Napi::Value& value) { return from(value, "model").live(); }

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

// initialise(seed): random weights. Settles nothing that anyone waits for: what comes next to the network comes after it, and fails as
// it did.
Napi::Value ModelObject::initialise(const Napi::CallbackInfo& info) {
  const auto model = live();
  const auto seed = static_cast<uint64_t>(to_whole(info[0], "seed"));
  Job job;
  job.work = [model = model.get(), seed] {
    try {
      model->network->initialise(seed);
    } catch (...) {
      model->failure = std::current_exception();
    }
  };
  return with_network(info.Env(), model, std::move(job));
}

Napi::Value ModelObject::tensors(const Napi::CallbackInfo& info) {
  const auto model = live();
  auto tensors = std::make_shared<std::vector<NamedTensor>>();
  Job job;
  job.work = [model = model.get(), tensors] {
    const Network& network = *model->network;
    *tensors = read_tensors(network, "", network.parameters(), network.statistics());
  };
  job.result = [tensors](Napi::Env env) -> Napi::Value { return from_tensors(env, std::move(*tensors)); };
  return with_network(info.Env(), model, std::move(job));
}

Napi::Value ModelObject::set_tensors(const Napi::CallbackInfo& info) {
  const auto model = live();
  const auto lent = to_tensors(info[0], "tensors");
  Job job;
  job.work = [model = model.get(), lent] {
    for (const LentTensors::One& tensor : lent->tensors) model->network->write(model->network->tensor(tensor.name), tensor.data);
  };
  return with_network(info.Env(), model, std::move(job));
}

Napi::Value ModelObject::logits(const Napi::CallbackInfo& info) {
  auto inference = std::make_shared<Inference>();
  inference->model = live();
  const auto size = static_cast<size_t>(inference->model->network->plan().spec.input_size);
  inference->images = copy_of<uint8_t>(info[0], "images");
  const auto count = static_cast<size_t>(to_whole(info[1], "count", 0, UINT32_MAX));
  if (inference->images.size() != count * size * size)
    throw Error("ERR_FER_ARGUMENT", "expected " + std::to_string(count * size * size) + " bytes, got " + std::to_string(inference->images.size()) +
                                        ", for " + std::to_string(count) + " images");
  inference->rows.resize(count);
  std::iota(inference->rows.begin(), inference->rows.end(), 0u);
  return run_inference(info.Env(), inference);
}

Napi::Value ModelObject::logits_of(const Napi::CallbackInfo& info) {
  auto inference = std::make_shared<Inference>();
  inference->model = live();
  inference->data = DataSetObject::get(info[0]);
  inference->rows = copy_of<uint32_t>(info[1], "indices");
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
    std::vector<float> grad_cam;
  };
  const auto model = live();
  const int size = model->network->plan().spec.input_size;
  const Napi::Object options = to_object(info[1], "options");
  auto explanation = std::make_shared<Explanation>();
  explanation->image = copy_of<uint8_t>(info[0], "image");
  if (explanation->image.size() != static_cast<size_t>(size) * size)
    throw Error("ERR_FER_ARGUMENT",
                "expected " + std::to_string(size * size) + " bytes, got " + std::to_string(explanation->image.size()) + ", for an image");
  explanation->request = {.layer = to_text(options.Get("layer"), "layer"),
                          .target = static_cast<int>(to_whole(options.Get("target"), "target", -1, INT32_MAX)),
                          .guided = options.Get("guided").ToBoolean()};
  Job job;
  job.work = [model = model.get(), explanation, size] {
    explanation->found = fer::explain(*model->network, explanation->image.data(), size, explanation->request);
    explanation->grad_cam = grad_cam(explanation->found);
  };
  job.result = [explanation](Napi::Env env) -> Napi::Value {
    Sensitivity& found = explanation->found;
    Napi::Object object = Napi::Object::New(env);
    object.Set("logits", from_values(env, std::move(found.logits)));
    object.Set("target", found.target);
    object.Set("size", found.size);
    object.Set("channels", found.channels);
    object.Set("gradient", from_values(env, std::move(found.gradient)));
    object.Set("gradCam", from_values(env, std::move(explanation->grad_cam)));
    return object;
  };
  return with_network(info.Env(), model, std::move(job));
}

Napi::Value ModelObject::memory_bytes(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(live()->bytes)); }

void ModelObject::dispose(const Napi::CallbackInfo& info) {
  shared_.reset();
  account(info.Env(), -accounted_);
  accounted_ = 0;
}

}  // namespace fer::addon
