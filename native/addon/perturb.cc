#include "addon/perturb.h"

#include "addon/environment.h"
#include "addon/values.h"
#include "perturb/batch.h"
#include "perturb/registry.h"

namespace fer::addon {
namespace {

struct Request {
  perturb::Chain chain;
  perturb::Size size;
  std::vector<uint8_t> images, out;
  std::vector<uint32_t> rows;
  uint64_t seed = 0;
  int threads = 0;
};

perturb::Chain to_chain(const Napi::Array& specs) {
  perturb::Chain chain;
  for (uint32_t i = 0; i < specs.Length(); ++i) {
    const auto spec = specs.Get(i).As<Napi::Object>();
    const Napi::Array names = spec.GetPropertyNames();
    perturb::Parameters parameters;
    for (uint32_t j = 0; j < names.Length(); ++j) {
      const std::string name = names.Get(j).ToString();
      const Napi::Value value = spec.Get(name);
      if (value.IsNumber()) parameters.set(name, value.ToNumber().DoubleValue());
      else parameters.set(name, value.ToString().Utf8Value());
    }
    chain.steps.push_back(perturb::make(parameters.word("type"), parameters));
  }
  return chain;
}

}  // namespace

// perturb(images, {width, height}, chain, {seed, rows, firstStep, threads})
Napi::Value perturb(const Napi::CallbackInfo& info) {
  auto request = std::make_shared<Request>();
  const auto size = info[1].As<Napi::Object>(), options = info[3].As<Napi::Object>();
  request->images = values<Napi::Uint8Array>(info[0]);
  request->size = {static_cast<int>(number(size, "width")), static_cast<int>(number(size, "height"))};
  request->rows = values<Napi::Uint32Array>(options.Get("rows"));
  request->chain = to_chain(info[2].As<Napi::Array>());
  request->chain.first_step = static_cast<uint32_t>(number(options, "firstStep"));
  request->seed = seed(options);
  request->threads = static_cast<int>(number(options, "threads"));
  if (request->size.width < 1 || request->size.height < 1 || request->images.size() != request->rows.size() * request->size.pixels())
    throw Error("ERR_FER_ARGUMENT", "expected rows x height x width bytes of images, got " + std::to_string(request->images.size()));

  Job job;
  job.work = [request] {
    request->out.resize(request->rows.size() * request->chain.output_size(request->size).pixels());
    perturb::perturb(request->chain, request->images.data(), request->rows.size(), request->size, request->rows.data(), request->seed,
                     request->threads, request->out.data());
  };
  job.result = [request](Napi::Env env) -> Napi::Value {
    const perturb::Size out_size = request->chain.output_size(request->size);
    auto images = Napi::Uint8Array::New(env, request->out.size());
    std::copy(request->out.begin(), request->out.end(), images.Data());
    Napi::Object result = Napi::Object::New(env);
    result.Set("images", images);
    result.Set("width", out_size.width);
    result.Set("height", out_size.height);
    return result;
  };
  return start(info.Env(), std::move(job));
}

}  // namespace fer::addon
