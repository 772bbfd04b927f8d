// The network as the plan has it, for whoever reads, writes or counts its layers in JavaScript.
#pragma once
#include <napi.h>

namespace fer::addon {

// describe(spec): tensors, values and layers.
Napi::Value describe(const Napi::CallbackInfo& info);
// trainingOps(spec): the fused ops of a training step's forward and backward pass, in order.
Napi::Value training_ops(const Napi::CallbackInfo& info);

}  // namespace fer::addon
