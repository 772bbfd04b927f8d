// perturb(): a chain of perturbations over a batch of grey images.
#pragma once
#include <napi.h>

namespace fer::addon {

Napi::Value perturb(const Napi::CallbackInfo& info);

}  // namespace fer::addon
