// What the addon keeps for each JavaScript environment (the main thread or a worker): the error class of lib/errors.ts, and the queue
// of its work.
#pragma once
#include <napi.h>

#include <optional>

#include "addon/queue.h"

namespace fer::addon {

struct Environment {
  Napi::FunctionReference error_class;
  std::optional<Queue> queue;
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

// Made when it is first needed.
Queue& queue_of(Napi::Env env);

// Tells the garbage collector about native memory taken (or given back, negative). Never throws: destructors call it, in an
// environment that may be closing.
inline void account(napi_env env, int64_t bytes) {
  int64_t total;
  napi_adjust_external_memory(env, bytes, &total);
}

// The JavaScript error for the C++ exception now being handled.
Napi::Value current_error(Napi::Env env);

}  // namespace fer::addon
