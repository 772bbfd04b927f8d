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
  static constexpr const char* kName = "Trainer";
  static constexpr napi_type_tag kTag = {0xc4e81b06d7f24f39, 0xb65a0c93e1d87f42};
  static Napi::Function define(Napi::Env env);
  explicit TrainerObject(const Napi::CallbackInfo& info);
  ~TrainerObject() override;

 private:
  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value train_epoch(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  Napi::Value state(const Napi::CallbackInfo& info);
  Napi::Value set_state(const Napi::CallbackInfo& info);
  Napi::Value step_count(const Napi::CallbackInfo& info);
  Napi::Value memory_bytes(const Napi::CallbackInfo& info);
  Napi::Value copy_average_to(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  struct Shared {
    std::shared_ptr<SharedNetwork> model;
    std::shared_ptr<const DataSet> data;
    TrainerOptions options;
    std::unique_ptr<Trainer> trainer;  // once opened
    std::atomic<bool> cancelled{false};
    bool disposed = false;
    int64_t accounted = 0;
  };
  // Memory laid out like the parameters or statistics, by the prefix of its tensors' names.
  struct Part {
    const char* prefix;
    float* parameters;
    float* statistics;
  };
  static std::vector<Part> parts(Trainer& trainer);
  std::shared_ptr<Shared> live() const;
  Trainer& opened() const;
  void let_go(Napi::Env env);

  std::shared_ptr<Shared> shared_;
};

}  // namespace fer::addon
