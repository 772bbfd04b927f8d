#include "addon/environment.h"

#include <new>

#include "base/error.h"

namespace fer::addon {

class Task {
 public:
  Task(Napi::Env env, Job job) : deferred_(Napi::Promise::Deferred::New(env)), job_(std::move(job)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  static void launch(Napi::Env env, const std::shared_ptr<Task>& task) {
    // Holds the event loop open until the task has settled.
    task->settled_ = Napi::ThreadSafeFunction::New(env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "fer-cudnn task", 0, 1);
    // An environment torn down (a worker terminated) must not outlive the thread. Its hooks run last in, first out, so this
    // one, added after the function's own, still finds the function alive for the thread's last call.
    napi_add_env_cleanup_hook(env, abandon, task.get());
    task->thread_ = std::thread([task = task.get()] {
      try {
        task->job_.work();
      } catch (...) {
        task->failure_ = std::current_exception();
      }
      task->settled_.BlockingCall(task, [](Napi::Env env, Napi::Function, Task* self) { self->settle(env); });
      task->settled_.Release();
    });
  }

  // Ends and joins the thread; the promise stays pending.
  static void abandon(void* task) {
    auto* self = static_cast<Task*>(task);
    self->job_.cancel();
    if (self->thread_.joinable()) self->thread_.join();
  }

 private:
  void settle(Napi::Env env) {
    Napi::HandleScope scope(env);
    if (thread_.joinable()) thread_.join();
    napi_remove_env_cleanup_hook(env, abandon, this);
    auto& tasks = Environment::of(env).tasks;
    std::shared_ptr<Task> self;
    for (const auto& task : tasks)
      if (task.get() == this) self = task;
    tasks.erase(self);
    try {
      if (failure_) std::rethrow_exception(failure_);
      deferred_.Resolve(job_.result(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    } catch (...) {
      deferred_.Reject(current_error(env));
    }
  }

  Napi::Promise::Deferred deferred_;
  Job job_;
  Napi::ThreadSafeFunction settled_;
  std::thread thread_;
  std::exception_ptr failure_;
};

namespace {

Napi::Value make_error(Napi::Env env, const char* code, const std::string& message) {
  const Napi::FunctionReference& error_class = Environment::of(env).error_class;
  if (!error_class.IsEmpty()) return error_class.New({Napi::String::New(env, code), Napi::String::New(env, message)});
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", code);
  return error.Value();
}

}  // namespace

Napi::Value current_error(Napi::Env env) {
  try {
    throw;
  } catch (const fer::Error& error) {
    return make_error(env, error.code().c_str(), error.what());
  } catch (const std::bad_alloc&) {
    return make_error(env, "ERR_FER_OUT_OF_MEMORY", "memory ran out; a smaller batch, network or data set may fit");
  } catch (const std::exception& error) {
    return make_error(env, "ERR_FER_NATIVE", error.what());
  }
}

Napi::Promise start(Napi::Env env, Job job) {
  auto task = std::make_shared<Task>(env, std::move(job));
  Environment::of(env).tasks.insert(task);
  Task::launch(env, task);
  return task->promise();
}

Napi::Promise run_now(Napi::Env env, Job job) {
  auto deferred = Napi::Promise::Deferred::New(env);
  try {
    job.work();
    deferred.Resolve(job.result(env));
  } catch (const Napi::Error& error) {
    deferred.Reject(error.Value());
  } catch (...) {
    deferred.Reject(current_error(env));
  }
  return deferred.Promise();
}

}  // namespace fer::addon
