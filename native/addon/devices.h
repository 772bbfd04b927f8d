// probeCuda(): what this machine has for the CUDA backend, and what it lacks.
#pragma once
#include <napi.h>

namespace fer::addon {

Napi::Value probe_cuda(const Napi::CallbackInfo& info);

}  // namespace fer::addon
