#include "addon/data_set.h"

#include "addon/values.h"
#include "base/error.h"
#include "base/resources.h"

namespace fer::addon {

Napi::Function DataSetObject::define(Napi::Env env) {
  return DefineClass(env, "DataSet",
                     {method<&DataSetObject::append>("append"), accessor<&DataSetObject::count>("count"), accessor<&DataSetObject::size>("size"),
                      method<&DataSetObject::dispose>("dispose")});
}

// new DataSet(count, size): room for so many images.
DataSetObject::DataSetObject(const Napi::CallbackInfo& info) : Wrapped(info) {
  guarded(info.Env(), [&] {
    capacity_ = static_cast<size_t>(to_whole(info[0], "count", 0, UINT32_MAX));
    data_ = std::make_shared<DataSet>();
    data_->size = static_cast<int>(to_whole(info[1], "size", 1, kLargestSize));
    const size_t bytes = capacity_ * data_->pixels();
    require_memory(bytes, "a data set of " + std::to_string(capacity_) + " images");
    // What lies there stays there: whoever has the data set reads it while it is full.
    data_->images.reserve(bytes);
    data_->labels.reserve(capacity_);
    accounted_ = static_cast<int64_t>(bytes);
    account(info.Env(), accounted_);
  });
}

DataSetObject::~DataSetObject() {
  if (accounted_) account(Env(), -accounted_);
}

std::shared_ptr<const DataSet> DataSetObject::get(const Napi::Value& value) {
  const DataSetObject& object = from(value, "data");
  if (!object.data_) throw Error("ERR_FER_DISPOSED", "this data set was disposed");
  if (object.data_->count() != object.capacity_)
    throw Error("ERR_FER_ARGUMENT", "expected a data set of " + std::to_string(object.capacity_) + " images, got one that has " +
                                        std::to_string(object.data_->count()) + " so far, for data");
  return object.data_;
}

void DataSetObject::append(const Napi::CallbackInfo& info) {
  if (!data_) throw Error("ERR_FER_DISPOSED", "this data set was disposed");
  const auto images = elements<uint8_t>(info[0], "images"), labels = elements<uint8_t>(info[1], "labels");
  if (images.size() != labels.size() * data_->pixels() || data_->count() + labels.size() > capacity_)
    throw Error("ERR_FER_ARGUMENT", "expected " + std::to_string(data_->pixels()) + " bytes an image and at most " +
                                        std::to_string(capacity_ - data_->count()) + " images, got " + std::to_string(images.size()) + " bytes and " +
                                        std::to_string(labels.size()) + " labels, for images");
  data_->images.insert(data_->images.end(), images.begin(), images.end());
  data_->labels.insert(data_->labels.end(), labels.begin(), labels.end());
}

Napi::Value DataSetObject::count(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), data_ ? static_cast<double>(data_->count()) : 0);
}
Napi::Value DataSetObject::size(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), data_ ? data_->size : 0); }

void DataSetObject::dispose(const Napi::CallbackInfo& info) {
  account(info.Env(), -accounted_);
  accounted_ = 0;
  data_.reset();
}

}  // namespace fer::addon
