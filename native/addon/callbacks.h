// How the addon's functions, classes and methods are defined: each is called inside one guard, which turns C++ exceptions into
// JavaScript ones, so that none of them has to think of it.
#pragma once
#include <napi.h>

#include "addon/environment.h"
#include "base/error.h"

namespace fer::addon {

// Runs `body`, turning C++ exceptions into JavaScript ones.
template <class Body>
auto guarded(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw Napi::Error(env, current_error(env));
  }
}

// Calls `body`; undefined where it returns nothing.
template <class Body>
Napi::Value guarded_value(Napi::Env env, Body&& body) {
  return guarded(env, [&]() -> Napi::Value {
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return env.Undefined();
    } else {
      return body();
    }
  });
}

template <auto Function>
Napi::Value guarded_function(const Napi::CallbackInfo& info) {
  return guarded_value(info.Env(), [&] { return Function(info); });
}
template <auto Function>
Napi::Function function(Napi::Env env) {
  return Napi::Function::New<guarded_function<Function>>(env);
}

// A class of the addon, T, whose objects carry `T::kTag`: where one is given, another class's object would be read as if it were one.
// (That a method is called on its own class's objects, JavaScript sees to.) Its constructor, which no method list names, guards itself.
template <class T>
class Wrapped : public Napi::ObjectWrap<T> {
 public:
  // The object behind a JavaScript value. Throws ERR_FER_ARGUMENT.
  static T& from(const Napi::Value& value, const char* name) {
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&T::kTag))
      throw Error("ERR_FER_ARGUMENT", std::string("expected a native ") + T::kName + ", for " + name);
    return *Napi::ObjectWrap<T>::Unwrap(value.As<Napi::Object>());
  }

 protected:
  using Wrap = Napi::ObjectWrap<T>;
  template <auto Method>
  static auto method(const char* name) {
    return Wrap::InstanceMethod(name, static_cast<typename Wrap::InstanceMethodCallback>(&Wrapped::template call<Method>));
  }
  template <auto Getter>
  static auto accessor(const char* name) {
    return Wrap::InstanceAccessor(name, static_cast<typename Wrap::InstanceGetterCallback>(&Wrapped::template call<Getter>), nullptr);
  }
  template <auto Getter, auto Setter>
  static auto accessor(const char* name) {
    return Wrap::InstanceAccessor(name, static_cast<typename Wrap::InstanceGetterCallback>(&Wrapped::template call<Getter>),
                                  static_cast<typename Wrap::InstanceSetterCallback>(&Wrapped::template set<Setter>));
  }

 private:
  friend T;
  explicit Wrapped(const Napi::CallbackInfo& info) : Napi::ObjectWrap<T>(info) { info.This().template As<Napi::Object>().TypeTag(&T::kTag); }

  template <auto Method>
  Napi::Value call(const Napi::CallbackInfo& info) {
    return guarded_value(info.Env(), [&] { return (static_cast<T*>(this)->*Method)(info); });
  }
  template <auto Setter>
  void set(const Napi::CallbackInfo& info, const Napi::Value& value) {
    guarded(info.Env(), [&] { (static_cast<T*>(this)->*Setter)(info, value); });
  }
};

}  // namespace fer::addon
