// The CUDA backend as a plug-in: every function of the table runs the backend's own and catches what it throws.
#include <cstdlib>

#include "cuda/cuda_backend.h"
#include "plugin/interface.h"

namespace fer::cuda {
namespace {

using plugin::Failure;

// On the host there is nothing to measure unless that is asked for.
#ifdef FER_CUDA_ON_HOST
constexpr bool kTuned = false;
constexpr const char* kRunTime = "CUDA on the host";
#else
constexpr bool kTuned = true;
constexpr const char* kRunTime = FER_CUDA_RUN_TIME;
#endif

template <auto Member>
struct Export;
template <class R, class... A, R (Backend::*Member)(A...)>
struct Export<Member> {
  static bool call(Backend* backend, Failure* failure, R* result, A... arguments) {
    return plugin::guarded(failure, [&] {
      if constexpr (std::is_void_v<R>) (backend->*Member)(arguments...);
      else *result = (backend->*Member)(arguments...);
    });
  }
};
template <class R, class... A, R (Backend::*Member)(A...) const>
struct Export<Member> {
  static bool call(Backend* backend, Failure* failure, R* result, A... arguments) {
    return plugin::guarded(failure, [&] { *result = (backend->*Member)(arguments...); });
  }
};

Backend* make(int device, const DeviceOptions* options, Failure* failure) {
  Backend* made = nullptr;
  plugin::guarded(
      failure, [&] { made = new CudaBackend(device, *options, kTuned || std::getenv("FER_CUDA_KERNELS") ? Tuning::from_environment() : Tuning{}); });
  return made;
}

bool description(const Backend* backend, Failure* failure, char* text, size_t capacity) {
  return plugin::guarded(failure, [&] { std::snprintf(text, capacity, "%s", backend->description().c_str()); });
}

bool run(Backend* backend, Failure* failure, const plugin::PlainOp* op) {
  return plugin::guarded(failure, [&] { backend->run(plugin::op_of(*op)); });
}

bool record(Backend* backend, Failure* failure, Program** program, const plugin::PlainOp* plain, size_t count) {
  return plugin::guarded(failure, [&] {
    std::vector<Op> ops;
    ops.reserve(count);
    for (size_t i = 0; i < count; ++i) ops.push_back(plugin::op_of(plain[i]));
    *program = backend->record(ops).release();
  });
}

constexpr plugin::Table kTable = {
    .version = FER_VERSION,
    .run_time = kRunTime,
    .make = make,
    .destroy = [](Backend* backend) { delete backend; },
    .description = description,
    .run = run,
    .record = record,
    .replay = [](Program* program, Failure* failure) { return plugin::guarded(failure, [&] { program->run(); }); },
    .destroy_program = [](Program* program) { delete program; },
    .threads = Export<&Backend::threads>::call,
    .channel_alignment = Export<&Backend::channel_alignment>::call,
    .keeps_depthwise = Export<&Backend::keeps_depthwise>::call,
    .inference_batch = Export<&Backend::inference_batch>::call,
    .allocate = Export<&Backend::allocate>::call,
    .release = Export<&Backend::release>::call,
    .free_bytes = Export<&Backend::free_bytes>::call,
    .upload = Export<&Backend::upload>::call,
    .download = Export<&Backend::download>::call,
    .copy = Export<&Backend::copy>::call,
    .zero = Export<&Backend::zero>::call,
    .asynchronous = Export<&Backend::asynchronous>::call,
};

}  // namespace
}  // namespace fer::cuda

extern "C" __attribute__((visibility("default"))) const fer::plugin::Table* fer_cuda_plugin() { return &fer::cuda::kTable; }
