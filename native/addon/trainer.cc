#include "addon/trainer.h"

#include <chrono>

#include "addon/data_set.h"
#include "addon/values.h"
#include "base/error.h"

namespace fer::addon {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(100);

// Carries totals to the event loop, at most ten times a second.
class Progress {
 public:
  Progress(Napi::Env env, const Napi::Function& callback) : call_(Napi::ThreadSafeFunction::New(env, callback, "fer-cudnn progress", 0, 1)) {}
  // To be called on the thread, once, after the last report: when the environment is torn down, later is too late.
  void end() { call_.Release(); }

  void operator()(const EpochTotals& totals) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + kProgressInterval;
    auto* copy = new EpochTotals(totals);
    const napi_status status = call_.NonBlockingCall(copy, [](Napi::Env env, Napi::Function callback, EpochTotals* totals) {
      const std::unique_ptr<EpochTotals> owned(totals);
      if (env) callback.Call({from_totals(env, *owned)});
    });
    if (status != napi_ok) delete copy;
  }

 private:
  Napi::ThreadSafeFunction call_;
  std::chrono::steady_clock::time_point next_ = std::chrono::steady_clock::now() + kProgressInterval;
};

}  // namespace

Napi::Function TrainerObject::define(Napi::Env env) {
  return DefineClass(
      env, "Trainer",
      {method<&TrainerObject::train_epoch>("trainEpoch"), method<&TrainerObject::cancel>("cancel"), method<&TrainerObject::state>("state"),
       method<&TrainerObject::set_state>("setState"), accessor<&TrainerObject::step_count, &TrainerObject::set_step_count>("stepCount"),
       method<&TrainerObject::copy_average_to>("copyAverageTo"), method<&TrainerObject::memory_bytes>("memoryBytes"),
       method<&TrainerObject::dispose>("dispose")});
}

TrainerObject::TrainerObject(const Napi::CallbackInfo& info) : Wrapped(info) {
  auto shared = std::make_shared<Shared>();
  guarded(info.Env(), [&] {
    shared->model = ModelObject::get(info.Env(), info[0]);
    const auto data = DataSetObject::get(info.Env(), info[1]);
    const TrainerOptions options = to_trainer_options(info[2].As<Napi::Object>());
    const auto classes = static_cast<size_t>(shared->model->network->plan().spec.classes);
    if (!options.class_weights.empty() && options.class_weights.size() != classes)
      throw Error("ERR_FER_ARGUMENT", "expected " + std::to_string(classes) + " class weights, got " + std::to_string(options.class_weights.size()));
    for (uint8_t label : data->labels)
      if (label >= classes) throw Error("ERR_FER_ARGUMENT", "expected labels below " + std::to_string(classes) + ", got " + std::to_string(label));
    shared->trainer = std::make_unique<Trainer>(shared->model->network, data, options);
    accounted_ = static_cast<int64_t>(shared->trainer->bytes());
    account(info.Env(), accounted_);
  });
  shared_ = std::move(shared);
}

TrainerObject::~TrainerObject() {
  if (accounted_) account(Env(), -accounted_);
}

std::shared_ptr<TrainerObject::Shared> TrainerObject::live() const {
  if (!shared_) throw Error("ERR_FER_DISPOSED", "this trainer was disposed");
  return shared_;
}

Napi::Value TrainerObject::train_epoch(const Napi::CallbackInfo& info) {
  auto shared = live();
  const auto object = info[0].As<Napi::Object>();
  EpochRequest request;
  request.epoch = static_cast<uint32_t>(number(object, "epoch"));
  request.rows = values<Napi::Uint32Array>(object.Get("indices"));
  request.learning_rates = values<Napi::Float32Array>(object.Get("learningRates"));
  request.from = to_totals(object.Get("from").As<Napi::Object>());
  const size_t count = shared->trainer->row_count();
  for (uint32_t row : request.rows)
    if (row >= count) throw Error("ERR_FER_ARGUMENT", "expected rows below " + std::to_string(count) + ", got " + std::to_string(row));
  auto progress = std::make_shared<Progress>(info.Env(), info[1].As<Napi::Function>());
  auto totals = std::make_shared<EpochTotals>();
  shared->cancelled = false;
  Job job;
  job.work = [shared, request = std::move(request), progress, totals] {
    const std::unique_ptr<Progress, void (*)(Progress*)> ended(progress.get(), [](Progress* p) { p->end(); });
    std::lock_guard lock(shared->model->busy);
    *totals = shared->trainer->train_epoch(request, shared->cancelled, [&](const EpochTotals& t) { (*progress)(t); });
  };
  job.result = [totals](Napi::Env env) -> Napi::Value { return from_totals(env, *totals); };
  job.cancel = [shared] { shared->cancelled = true; };
  return start(info.Env(), std::move(job));
}

void TrainerObject::cancel(const Napi::CallbackInfo&) { live()->cancelled = true; }

std::vector<TrainerObject::Part> TrainerObject::parts(Trainer& t) {
  return {{"moment1.", t.moment1(), nullptr}, {"moment2.", t.moment2(), nullptr}, {"ema.", t.average(), t.average_statistics()}};
}

Napi::Value TrainerObject::state(const Napi::CallbackInfo& info) {
  const auto shared = live();
  std::lock_guard lock(shared->model->busy);
  const Network& network = *shared->model->network;
  Napi::Array array = Napi::Array::New(info.Env());
  for (const Part& part : parts(*shared->trainer))
    for (const TensorInfo& tensor : network.plan().tensors)
      if (const float* base = tensor.trainable ? part.parameters : part.statistics)
        array.Set(array.Length(), from_tensor(info.Env(), part.prefix + tensor.name, tensor, network.read_from(base, tensor)));
  return array;
}

void TrainerObject::set_state(const Napi::CallbackInfo& info) {
  const auto shared = live();
  std::lock_guard lock(shared->model->busy);
  const std::string name = info[0].ToString();
  const Network& network = *shared->model->network;
  for (const Part& part : parts(*shared->trainer)) {
    const std::string prefix = part.prefix;
    if (name.rfind(prefix, 0) != 0) continue;
    const TensorInfo& tensor = network.tensor(name.substr(prefix.size()));
    float* base = tensor.trainable ? part.parameters : part.statistics;
    if (!base) break;
    return network.write_to(base, tensor, values<Napi::Float32Array>(info[1]));
  }
  throw Error("ERR_FER_ARGUMENT", "expected a tensor of this optimiser's state, got \"" + name + "\"");
}

Napi::Value TrainerObject::step_count(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(live()->trainer->step_count()));
}
Napi::Value TrainerObject::memory_bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(live()->trainer->bytes()));
}

void TrainerObject::set_step_count(const Napi::CallbackInfo&, const Napi::Value& value) {
  live()->trainer->set_step_count(value.ToNumber().Int64Value());
}

void TrainerObject::copy_average_to(const Napi::CallbackInfo& info) {
  const auto shared = live();
  const auto other = ModelObject::get(info.Env(), info[0]);
  std::scoped_lock lock(shared->model->busy, other->busy);
  shared->trainer->copy_average_to(*other->network);
}

void TrainerObject::dispose(const Napi::CallbackInfo& info) {
  if (shared_) shared_->cancelled = true;
  shared_.reset();
  account(info.Env(), -accounted_);
  accounted_ = 0;
}

}  // namespace fer::addon
