// What the addon keeps for each JavaScript environment (the main thread or a worker): the classes it made,
// the error class of lib/errors.ts, and the tasks still running there.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace fer::addon {

class Task;

struct Environment {
  Napi::FunctionReference error_class, data_set, model;
  std::set<std::shared_ptr<Task>> tasks;
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

// Tells the garbage collector about native memory taken (or given back, negative). Never throws: destructors call it, in an
// environment that may be closing.
inline void account(napi_env env, int64_t bytes) {
  int64_t total;
  napi_adjust_external_memory(env, bytes, &total);
}

// The JavaScript error for the C++ exception now being handled.
Napi::Value current_error(Napi::Env env);

// Work on a thread of its own, so that neither the event loop nor the small libuv pool waits for it.
struct Job {
  std::function<void()> work;                    // on the thread
  std::function<Napi::Value(Napi::Env)> result;  // back on the event loop
  std::function<void()> cancel = [] {};          // asks `work` to end soon
};
Napi::Promise start(Napi::Env env, Job job);
Napi::Promise run_now(Napi::Env env, Job job);  // the same for work of well under a millisecond

}  // namespace fer::addon
