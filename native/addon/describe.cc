#include "addon/describe.h"

#include "addon/values.h"
#include "devices/registry.h"
#include "network/pass.h"

namespace fer::addon {
namespace {

Napi::Object from_layer(Napi::Env env, const Plan& plan, const Layer& layer) {
  std::vector<std::string> tensors;
  tensors.reserve(layer.tensors.size());
  for (int i : layer.tensors) tensors.push_back(plan.tensors[i].name);
  Napi::Object object = Napi::Object::New(env);
  object.Set("kind", name_of(layer.kind));
  object.Set("name", layer.name);
  object.Set("inputs", from_list(env, layer.inputs));
  object.Set("output", layer.output);
  object.Set("kernel", layer.kernel);
  object.Set("stride", layer.stride);
  object.Set("padding", layer.same ? "same" : "valid");
  object.Set("depthwise", layer.depthwise);
  object.Set("epsilon", layer.kind == LayerKind::kBatchNorm ? static_cast<double>(kBatchNormEpsilon) : 0);
  object.Set("tensors", from_list(env, tensors));
  return object;
}

#define FER_NAME(op) #op,
constexpr const char* kOpNames[] = {FER_OPS(FER_NAME, FER_NAME)};
#undef FER_NAME

}  // namespace

Napi::Value describe(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Plan plan = make_plan(to_spec(info[0]), 1);
  Napi::Array tensors = Napi::Array::New(env), values = Napi::Array::New(env), layers = Napi::Array::New(env);
  for (const TensorInfo& tensor : plan.tensors) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", tensor.name);
    object.Set("shape", from_list(env, tensor.shape));
    object.Set("trainable", tensor.trainable);
    tensors.Set(tensors.Length(), object);
  }
  for (const Value& value : plan.values) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", value.name);
    object.Set("size", value.size);
    object.Set("channels", value.channels);
    values.Set(values.Length(), object);
  }
  for (const Layer& layer : plan.layers) layers.Set(layers.Length(), from_layer(env, plan, layer));
  Napi::Object object = Napi::Object::New(env);
  object.Set("parameterCount", static_cast<double>(plan.parameter_count));
  object.Set("multiplyAdds", static_cast<double>(plan.multiply_adds));
  object.Set("tensors", tensors);
  object.Set("values", values);
  object.Set("layers", layers);
  return object;
}

Napi::Value training_ops(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  // Bound to the host's memory, where nothing is run.
  const std::unique_ptr<Backend> host = host_device().open(0, {.threads = 1});
  Backend& backend = *host;
  const Plan plan = make_plan(to_spec(info[0]), backend.channel_alignment());
  const Fusion fusion = fuse(plan);
  const Pass pass(backend, plan, fusion, Purpose::kTraining, 1);
  const Buffer<float> parameters(backend, plan.parameter_floats), gradients(backend, plan.parameter_floats);
  std::vector<BatchNorm> norms(fusion.norms.size());
  const Weights weights{.parameters = parameters.data(), .gradients = gradients.data(), .norms = norms};
  Napi::Array ops = Napi::Array::New(env);
  for (const auto& list : {pass.forward(weights, 1, true), pass.backward(weights, 1, {})})
    for (const Op& op : list)
      std::visit(
          [&](const auto& one) {
            Napi::Object object = Napi::Object::New(env);
            object.Set("op", kOpNames[op.index()]);
            if constexpr (requires { one.shape; }) {
              object.Set("size", one.shape.size);
              object.Set("inChannels", one.shape.in_channels);
              object.Set("outChannels", one.shape.out_channels);
            }
            if constexpr (requires { one.up.argmax; }) object.Set("pooled", one.up.argmax != nullptr);
            ops.Set(ops.Length(), object);
          },
          op);
  return ops;
}

}  // namespace fer::addon
