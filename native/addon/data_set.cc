#include "addon/data_set.h"

#include "base/error.h"

namespace fer::addon {

Napi::Function DataSetObject::define(Napi::Env env) {
  return DefineClass(env, "DataSet",
                     {accessor<&DataSetObject::count>("count"), accessor<&DataSetObject::size>("size"), method<&DataSetObject::dispose>("dispose")});
}

DataSetObject::DataSetObject(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] {
    const auto images = info[0].As<Napi::Uint8Array>();
    const auto labels = info[1].As<Napi::Uint8Array>();
    const int size = info[2].ToNumber().Int32Value();
    if (size < 1 || images.ElementLength() != labels.ElementLength() * size * size)
      throw Error("ERR_FER_ARGUMENT",
                  "expected images of labels x size x size bytes, got " + std::to_string(images.ElementLength()) + ", for a data set");
    data_ = std::make_shared<DataSet>();
    data_->images.assign(images.Data(), images.Data() + images.ElementLength());
    data_->labels.assign(labels.Data(), labels.Data() + labels.ElementLength());
    data_->size = size;
    account(info.Env(), static_cast<int64_t>(data_->images.size()));
  });
}

DataSetObject::~DataSetObject() {
  if (data_) account(Env(), -static_cast<int64_t>(data_->images.size()));
}

std::shared_ptr<const DataSet> DataSetObject::get(Napi::Env env, const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(Environment::of(env).data_set.Value()))
    throw Error("ERR_FER_ARGUMENT", "expected a native DataSet");
  const auto data = Unwrap(value.As<Napi::Object>())->data_;
  if (!data) throw Error("ERR_FER_DISPOSED", "this data set was disposed");
  return data;
}

Napi::Value DataSetObject::count(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), data_ ? static_cast<double>(data_->count()) : 0);
}
Napi::Value DataSetObject::size(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), data_ ? data_->size : 0); }

void DataSetObject::dispose(const Napi::CallbackInfo& info) {
  if (data_) account(info.Env(), -static_cast<int64_t>(data_->images.size()));
  data_.reset();
}

}  // namespace fer::addon
