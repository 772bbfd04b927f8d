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
  return DefineClass(env, "Trainer",
                     {method<&TrainerObject::open>("open"), method<&TrainerObject::train_epoch>("trainEpoch"),
                      method<&TrainerObject::cancel>("cancel"), method<&TrainerObject::state>("state"), method<&TrainerObject::set_state>("setState"),
                      accessor<&TrainerObject::step_count>("stepCount"), method<&TrainerObject::copy_average_to>("copyAverageTo"),
                      method<&TrainerObject::memory_bytes>("memoryBytes"), method<&TrainerObject::dispose>("dispose")});
}

// new Trainer(model, data, options): nothing can be done with it before `open()`, which takes the memory that it needs.
TrainerObject::TrainerObject(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] {
    auto shared = std::make_shared<Shared>();
    shared->model = ModelObject::get(info[0]);
    shared->data = DataSetObject::get(info[1]);
    shared->options = to_trainer_options(info[2]);
    shared_ = std::move(shared);
  });
}

TrainerObject::~TrainerObject() { let_go(Env()); }

void TrainerObject::let_go(Napi::Env env) {
  if (!shared_) return;
  shared_->cancelled = true;
  shared_->disposed = true;
  account(env, -shared_->accounted);
  shared_.reset();
}

std::shared_ptr<TrainerObject::Shared> TrainerObject::live() const {
  if (!shared_) throw Error("ERR_FER_DISPOSED", "this trainer was disposed");
  return shared_;
}

Trainer& TrainerObject::opened() const {
  Trainer* trainer = live()->trainer.get();
  if (!trainer) throw Error("ERR_FER_ARGUMENT", "expected an opened trainer, got one whose open() has not ended");
  return *trainer;
}

// open(teachers): each a {spec, tensors}.
Napi::Value TrainerObject::open(const Napi::CallbackInfo& info) {
  const auto shared = live();
  const Napi::Array given = to_array(info[0], "teachers");
  if (shared->trainer) return info.Env().Undefined();
  struct Opening {
    std::vector<std::shared_ptr<LentTensors>> lent;
    std::vector<TeacherWeights> teachers;
    std::unique_ptr<Trainer> trainer;
  };
  auto opening = std::make_shared<Opening>();
  for (uint32_t i = 0; i < given.Length(); ++i) {
    const Napi::Object teacher = to_object(given.Get(i), "a teacher");
    const auto& lent = opening->lent.emplace_back(to_tensors(teacher.Get("tensors"), "a teacher's tensors"));
    TeacherWeights& weights = opening->teachers.emplace_back(TeacherWeights{.spec = to_spec(teacher.Get("spec")), .tensors = {}});
    for (const LentTensors::One& tensor : lent->tensors) weights.tensors.push_back({tensor.name, tensor.data});
  }
  Job job;
  job.work = [shared, opening] {
    opening->trainer = std::make_unique<Trainer>(shared->model->network, shared->data, shared->options, opening->teachers);
  };
  job.result = [shared, opening](Napi::Env env) -> Napi::Value {
    if (shared->disposed || shared->trainer) return env.Undefined();
    shared->trainer = std::move(opening->trainer);
    shared->accounted = static_cast<int64_t>(shared->trainer->bytes());
    account(env, shared->accounted);
    return env.Undefined();
  };
  return with_network(info.Env(), shared->model, std::move(job));
}

Napi::Value TrainerObject::train_epoch(const Napi::CallbackInfo& info) {
  opened();
  const auto shared = live();
  const Napi::Object object = to_object(info[0], "request");
  EpochRequest request;
  request.epoch = counter(object, "epoch");
  request.rows = copy_of<uint32_t>(object.Get("indices"), "indices");
  request.learning_rates = copy_of<float>(object.Get("learningRates"), "learningRates");
  request.from = to_totals(object.Get("from"));
  if (!object.Get("labels").IsUndefined()) request.labels = copy_of<uint8_t>(object.Get("labels"), "labels");
  if (!info[1].IsFunction()) throw Error("ERR_FER_ARGUMENT", "expected a function, for onProgress");
  auto progress = std::make_shared<Progress>(info.Env(), info[1].As<Napi::Function>());
  auto totals = std::make_shared<EpochTotals>();
  shared->cancelled = false;
  Job job;
  job.work = [shared, request, progress, totals] {
    const struct End {
      Progress& progress;
      ~End() { progress.end(); }
    } end{*progress};
    SharedNetwork& model = *shared->model;
    std::lock_guard lock(model.turns);
    if (model.failure) std::rethrow_exception(model.failure);
    *totals =
        shared->trainer->train_epoch(request, shared->cancelled, [&](const EpochTotals& now) { (*progress)(now); }, [&] { model.turns.pass(); });
  };
  job.result = [totals](Napi::Env env) -> Napi::Value { return from_totals(env, *totals); };
  job.cancel = [shared] { shared->cancelled = true; };
  return queue_of(info.Env()).add_long(info.Env(), std::move(job));
}

void TrainerObject::cancel(const Napi::CallbackInfo&) { live()->cancelled = true; }

std::vector<TrainerObject::Part> TrainerObject::parts(Trainer& t) {
  return {{"moment1.", t.moment1(), nullptr}, {"moment2.", t.moment2(), nullptr}, {"ema.", t.average(), t.average_statistics()}};
}

Napi::Value TrainerObject::state(const Napi::CallbackInfo& info) {
  opened();
  auto shared = live();
  auto tensors = std::make_shared<std::vector<NamedTensor>>();
  const auto model = shared->model;
  Job job;
  job.work = [shared, tensors] {
    for (const Part& part : parts(*shared->trainer))
      for (NamedTensor& tensor : read_tensors(*shared->model->network, part.prefix, part.parameters, part.statistics))
        tensors->push_back(std::move(tensor));
  };
  job.result = [tensors](Napi::Env env) -> Napi::Value { return from_tensors(env, std::move(*tensors)); };
  return with_network(info.Env(), model, std::move(job));
}

// setState(tensors, steps)
Napi::Value TrainerObject::set_state(const Napi::CallbackInfo& info) {
  opened();
  auto shared = live();
  const auto lent = to_tensors(info[0], "tensors");
  const int64_t steps = to_whole(info[1], "steps");
  const auto model = shared->model;
  Job job;
  job.work = [shared, lent, steps] {
    const Network& network = *shared->model->network;
    for (const LentTensors::One& given : lent->tensors) {
      bool known = false;
      for (const Part& part : parts(*shared->trainer)) {
        const std::string prefix = part.prefix;
        if (!given.name.starts_with(prefix)) continue;
        const TensorInfo& tensor = network.tensor(given.name.substr(prefix.size()));
        if (float* base = tensor.trainable ? part.parameters : part.statistics) {
          network.write_to(base, tensor, given.data);
          known = true;
        }
      }
      if (!known) throw Error("ERR_FER_ARGUMENT", "expected a tensor of this optimiser's state, got \"" + given.name + "\"");
    }
    shared->trainer->set_step_count(steps);
  };
  return with_network(info.Env(), model, std::move(job));
}

Napi::Value TrainerObject::step_count(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(opened().step_count()));
}
Napi::Value TrainerObject::memory_bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(opened().bytes()));
}

Napi::Value TrainerObject::copy_average_to(const Napi::CallbackInfo& info) {
  opened();
  auto shared = live();
  const auto other = ModelObject::get(info[0]);
  if (other == shared->model) throw Error("ERR_FER_ARGUMENT", "expected another model than the trained one, for copyAverageTo");
  Job job;
  job.work = [shared, other] {
    std::scoped_lock lock(shared->model->turns, other->turns);
    shared->trainer->copy_average_to(*other->network);
  };
  return queue_of(info.Env()).add(info.Env(), other.get(), std::move(job));
}

void TrainerObject::dispose(const Napi::CallbackInfo& info) { let_go(info.Env()); }

}  // namespace fer::addon
