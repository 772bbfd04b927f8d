// The boundary between the addon and a backend in a shared library of its own (a plug-in): plain functions over plain data.
//
// Addon and plug-in each carry a C++ run time of their own inside, so that both run on systems with an older one. Therefore no
// exception, no standard-library object and no memory to be freed by the other side crosses here: a call that fails returns
// false and leaves its reason in a Failure (docs/decisions/0002-cuda-plug-in.md).
#pragma once
#include <cstdio>
#include <exception>
#include <new>
#include <utility>

#include "backend.h"
#include "base/error.h"

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

// An op as it crosses: its place in the list of ops.h, and its struct.
struct PlainOp {
  size_t kind;
  const void* op;
};

inline PlainOp plain(const Op& op) {
  return {.kind = op.index(), .op = std::visit([](const auto& one) -> const void* { return &one; }, op)};
}

inline Op op_of(const PlainOp& plain) {
  Op op;
  [&]<size_t... I>(std::index_sequence<I...>) {
    ((plain.kind == I ? void(op.emplace<I>(*static_cast<const std::variant_alternative_t<I, Op>*>(plain.op))) : void()), ...);
  }(std::make_index_sequence<std::variant_size_v<Op>>());
  return op;
}

struct Table {
  const char* version;                                           // the package's; the rest is read only where it is the reader's own
  const char* run_time;                                          // such as "CUDA 12.4"
  Backend* (*make)(int device, const DeviceOptions*, Failure*);  // null where it failed
  void (*destroy)(Backend*);

  bool (*description)(const Backend*, Failure*, char* text, size_t capacity);
  bool (*run)(Backend*, Failure*, const PlainOp*);
  bool (*record)(Backend*, Failure*, Program** program, const PlainOp* ops, size_t count);
  bool (*replay)(Program*, Failure*);
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
};

// What a plug-in exports, and nothing else.
using EntryPoint = const Table* (*)();

}  // namespace fer::plugin
