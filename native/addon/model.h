// class Model: one network on one device, with inference.
#pragma once
#include <napi.h>

#include <memory>
#include <mutex>

#include "addon/callbacks.h"
#include "network/network.h"

namespace fer::addon {

// A network and the lock that keeps two tasks from using its device at once.
struct SharedNetwork {
  SharedNetwork(const Spec& spec, std::unique_ptr<Backend> backend, uint64_t seed)
      : network(std::make_shared<Network>(spec, std::move(backend), seed)) {}
  std::shared_ptr<Network> network;
  std::mutex busy;
};

class ModelObject : public Wrapped<ModelObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ModelObject(const Napi::CallbackInfo& info);
  ~ModelObject() override;
  // Throws ERR_FER_DISPOSED, or ERR_FER_ARGUMENT for another kind of object.
  static std::shared_ptr<SharedNetwork> get(Napi::Env env, const Napi::Value& value);

 private:
  Napi::Value parameter_count(const Napi::CallbackInfo& info);
  Napi::Value multiply_adds(const Napi::CallbackInfo& info);
  Napi::Value threads(const Napi::CallbackInfo& info);
  Napi::Value device(const Napi::CallbackInfo& info);
  Napi::Value device_choice(const Napi::CallbackInfo& info);
  Napi::Value precision(const Napi::CallbackInfo& info);
  Napi::Value device_description(const Napi::CallbackInfo& info);
  Napi::Value tensors(const Napi::CallbackInfo& info);
  void set_tensor(const Napi::CallbackInfo& info);
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

}  // namespace fer::addon
