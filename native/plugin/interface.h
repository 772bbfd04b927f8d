// The boundary between the addon and a backend in a shared library of its own (a plug-in): plain functions over plain data.
//
// Addon and plug-in each carry a C++ run time of their own inside, so that both run on systems with an older one. Therefore no
// exception, no standard-library object and no memory to be freed by the other side crosses here: a call that fails returns
// false and leaves its reason in a Failure (docs/decisions/0002-cuda-plug-in.md).
#pragma once
#include <cstdio>
#include <exception>
#include <new>

#include "backend.h"
#include "core/error.h"

namespace fer::plugin {

struct Failure {
  char code[48];
  char message[2000];
};

// Runs `body`; false, and `failure` filled, where it throws.
template <class Body>
bool guarded(Failure* failure, Body&& body) noexcept {
  auto fill = [&](const char* code, const char* message) {
    std::snprintf(failure->code, sizeof failure->code, "%s", code);
    std::snprintf(failure->message, sizeof failure->message, "%s", message);
    return false;
  };
  try {
    body();
    return true;
  } catch (const Error& error) {
    return fill(error.code().c_str(), error.what());
  } catch (const std::bad_alloc&) {
    return fill("ERR_FER_OUT_OF_MEMORY", "memory ran out; a smaller batch, network or data set may fit");
  } catch (const std::exception& error) {
    return fill("ERR_FER_NATIVE", error.what());
  } catch (...) {
    return fill("ERR_FER_NATIVE", "an unknown error occurred");
  }
}

// The other side of it.
[[noreturn]] inline void rethrow(const Failure& failure) { throw Error(failure.code, failure.message); }

// A member function of Backend as it crosses. `R*` receives the result.
template <class Member>
struct Crossing;
template <class R, class... A>
struct Crossing<R (Backend::*)(A...)> {
  using Function = bool (*)(Backend*, Failure*, R*, A...);
};
template <class R, class... A>
struct Crossing<R (Backend::*)(A...) const> {
  using Function = bool (*)(Backend*, Failure*, R*, A...);
};
template <auto Member>
using Entry = typename Crossing<decltype(Member)>::Function;

// Called back by the plug-in; `context` is the addon's.
using Ops = bool (*)(void* context, Failure*);

struct Table {
  const char* version;                                           // the package's; the rest is read only where it is the reader's own
  const char* run_time;                                          // such as "CUDA 12.4"
  Backend* (*make)(int device, const DeviceOptions*, Failure*);  // null where it failed
  void (*destroy)(Backend*);

  bool (*description)(const Backend*, Failure*, char* text, size_t capacity);
  bool (*record)(Backend*, Failure*, Program** program, Ops ops, void* context);
  bool (*run)(Program*, Failure*);
  void (*destroy_program)(Program*);

  Entry<&Backend::threads> threads;
  Entry<&Backend::channel_alignment> channel_alignment;
  Entry<&Backend::keeps_depthwise> keeps_depthwise;
  Entry<&Backend::inference_batch> inference_batch;
  Entry<&Backend::allocate> allocate;
  Entry<&Backend::release> release;
  Entry<&Backend::free_bytes> free_bytes;
  Entry<&Backend::upload> upload;
  Entry<&Backend::download> download;
  Entry<&Backend::copy> copy;
  Entry<&Backend::zero> zero;
  Entry<&Backend::asynchronous> asynchronous;
  Entry<&Backend::advance> advance;
  Entry<&Backend::gather> gather;
  Entry<&Backend::convolution_forward> convolution_forward;
  Entry<&Backend::separable_forward> separable_forward;
  Entry<&Backend::shortcut_forward> shortcut_forward;
  Entry<&Backend::pool_add_forward> pool_add_forward;
  Entry<&Backend::head_forward> head_forward;
  Entry<&Backend::softmax_cross_entropy> softmax_cross_entropy;
  Entry<&Backend::head_backward> head_backward;
  Entry<&Backend::pool_add_backward> pool_add_backward;
  Entry<&Backend::shortcut_backward> shortcut_backward;
  Entry<&Backend::separable_backward> separable_backward;
  Entry<&Backend::convolution_backward> convolution_backward;
  Entry<&Backend::optimize> optimize;
  Entry<&Backend::update_average> update_average;
  Entry<&Backend::use_running_statistics> use_running_statistics;
};

// What a plug-in exports, and nothing else.
using EntryPoint = const Table* (*)();
inline constexpr const char* kCudaEntryPoint = "fer_cuda_plugin";

}  // namespace fer::plugin
