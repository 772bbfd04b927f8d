#include "addon/environment.h"

#include <new>

#include "base/error.h"

namespace fer::addon {
namespace {

Napi::Value make_error(Napi::Env env, const char* code, const std::string& message) {
  const Napi::FunctionReference& error_class = Environment::of(env).error_class;
  if (!error_class.IsEmpty()) return error_class.New({Napi::String::New(env, code), Napi::String::New(env, message)});
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", code);
  return error.Value();
}

}  // namespace

Queue& queue_of(Napi::Env env) {
  std::optional<Queue>& queue = Environment::of(env).queue;
  return queue ? *queue : queue.emplace(env);
}

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

}  // namespace fer::addon
