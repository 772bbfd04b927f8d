// class DataSet: grey images and labels in native memory.
#pragma once
#include <napi.h>

#include <memory>

#include "addon/callbacks.h"
#include "data/data_set.h"

namespace fer::addon {

class DataSetObject : public Wrapped<DataSetObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit DataSetObject(const Napi::CallbackInfo& info);
  ~DataSetObject() override;
  // Throws ERR_FER_DISPOSED, or ERR_FER_ARGUMENT for another kind of object.
  static std::shared_ptr<const DataSet> get(Napi::Env env, const Napi::Value& value);

 private:
  Napi::Value count(const Napi::CallbackInfo& info);
  Napi::Value size(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<DataSet> data_;
};

}  // namespace fer::addon
