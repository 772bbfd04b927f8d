// class Model: one network on one device, with inference.
#pragma once
#include <napi.h>

#include <atomic>
#include <memory>

#include "addon/callbacks.h"
#include "addon/turns.h"
#include "addon/values.h"
#include "network/network.h"

namespace fer::addon {

// A network, and whose turn it is to use it and its device.
struct SharedNetwork {
  SharedNetwork(const Spec& spec, std::unique_ptr<Backend> backend) : network(std::make_shared<Network>(spec, std::move(backend))) {}
  std::shared_ptr<Network> network;
  Turns turns;
  std::atomic<size_t> bytes = 0;         // as of the last turn
  std::exception_ptr failure = nullptr;  // of the first weights: nothing can be done with such a network
};

class ModelObject : public Wrapped<ModelObject> {
 public:
  static constexpr const char* kName = "Model";
  static constexpr napi_type_tag kTag = {0x51b7e0d98c3f4a66, 0x8e24b1f7a05c9d13};
  static Napi::Function define(Napi::Env env);
  explicit ModelObject(const Napi::CallbackInfo& info);
  ~ModelObject() override;
  // Throws ERR_FER_DISPOSED, or ERR_FER_ARGUMENT for another kind of object.
  static std::shared_ptr<SharedNetwork> get(const Napi::Value& value);

 private:
  Napi::Value parameter_count(const Napi::CallbackInfo& info);
  Napi::Value multiply_adds(const Napi::CallbackInfo& info);
  Napi::Value threads(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value device_choice(const Napi::CallbackInfo& info);
  Napi::Value precision(const Napi::CallbackInfo& info);
  Napi::Value device_description(const Napi::CallbackInfo& info);
  Napi::Value initialise(const Napi::CallbackInfo& info);
  Napi::Value tensors(const Napi::CallbackInfo& info);
  Napi::Value set_tensors(const Napi::CallbackInfo& info);
  Napi::Value logits(const Napi::CallbackInfo& info);
  Napi::Value logits_of(const Napi::CallbackInfo& info);
  Napi::Value explain(const Napi::CallbackInfo& info);
  Napi::Value memory_bytes(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);
  std::shared_ptr<SharedNetwork> live() const;

  std::shared_ptr<SharedNetwork> shared_;
  std::string device_, device_choice_, precision_;
  int64_t accounted_ = 0;
};

// Queues `job`, whose work has the network for itself, between the steps of a training if need be.
Napi::Promise with_network(Napi::Env env, const std::shared_ptr<SharedNetwork>& model, Job job);

// The plan's tensors in memory laid out as the parameters and as the statistics (either may be null), under `prefix` and their names.
std::vector<NamedTensor> read_tensors(const Network& network, const std::string& prefix, const float* parameters, const float* statistics);

}  // namespace fer::addon
