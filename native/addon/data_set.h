// class DataSet: grey images and labels in native memory, copied there piece by piece so that no copy holds up the event loop.
#pragma once
#include <napi.h>

#include <memory>

#include "addon/callbacks.h"
#include "data/data_set.h"

namespace fer::addon {

class DataSetObject : public Wrapped<DataSetObject> {
 public:
  static constexpr const char* kName = "DataSet";
  static constexpr napi_type_tag kTag = {0x8d1c3f0a5b6e4a21, 0xa1c9e27b64d0f3e8};
  static Napi::Function define(Napi::Env env);
  explicit DataSetObject(const Napi::CallbackInfo& info);
  ~DataSetObject() override;
  // Throws ERR_FER_DISPOSED, or ERR_FER_ARGUMENT for another kind of object or one that is not full yet.
  static std::shared_ptr<const DataSet> get(const Napi::Value& value);

 private:
  void append(const Napi::CallbackInfo& info);
  Napi::Value count(const Napi::CallbackInfo& info);
  Napi::Value size(const Napi::CallbackInfo& info);
  void dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<DataSet> data_;
  size_t capacity_ = 0;  // images
  int64_t accounted_ = 0;
};

}  // namespace fer::addon
