// class Trainer: the training loop of one model over one data set, an epoch a call.
#pragma once
#include <napi.h>

#include <atomic>
#include <memory>

#include "addon/model.h"
#include "network/trainer.h"

namespace fer::addon {

class TrainerObject : public Wrapped<TrainerObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit TrainerObject(const Napi::CallbackInfo& info);
  ~TrainerObject() override;

 private:
  Napi::Value train_epoch(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  Napi::Value state(const Napi::CallbackInfo& info);
  void set_state(const Napi::CallbackInfo& info);
  Napi::Value step_count(const Napi::CallbackInfo& info);
  void set_step_count(const Napi::CallbackInfo& info, const Napi::Value& value);
  Napi::Value memory_bytes(const Napi::CallbackInfo& info);
  void copy_average_to(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  struct Shared {
    std::shared_ptr<SharedNetwork> model;
    std::unique_ptr<Trainer> trainer;
    std::atomic<bool> cancelled{false};
  };
  // Memory laid out like the parameters or statistics, by the prefix of its tensors' names.
  struct Part {
    const char* prefix;
    float* parameters;
    float* statistics;
  };
  static std::vector<Part> parts(Trainer& trainer);
  std::shared_ptr<Shared> live() const;

  std::shared_ptr<Shared> shared_;
  int64_t accounted_ = 0;
};

}  // namespace fer::addon
