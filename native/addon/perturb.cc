#include "addon/perturb.h"

#include "addon/environment.h"
#include "addon/values.h"
#include "base/error.h"
#include "base/resources.h"
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
    const Napi::Object spec = to_object(specs.Get(i), "chain");
    const Napi::Array names = spec.GetPropertyNames();
    perturb::Parameters parameters;
    for (uint32_t j = 0; j < names.Length(); ++j) {
      const std::string name = names.Get(j).ToString();
      const Napi::Value value = spec.Get(name);
      if (value.IsNumber()) parameters.set(name, to_number(value, name.c_str()));
      else parameters.set(name, to_text(value, name.c_str()));
    }
    chain.steps.push_back(perturb::make(parameters.word("type"), parameters));
  }
  return chain;
}

}  // namespace

// perturb(images, {width, height}, chain, {seed, rows, firstStep, threads})
Napi::Value perturb(const Napi::CallbackInfo& info) {
  auto request = std::make_shared<Request>();
  const Napi::Object size = to_object(info[1], "size"), options = to_object(info[3], "options");
  auto side = [&](const char* name) { return static_cast<int>(to_whole(size.Get(name), name, 1, perturb::kLongestSide)); };
  request->images = copy_of<uint8_t>(info[0], "images");
  request->size = {side("width"), side("height")};
  request->rows = copy_of<uint32_t>(options.Get("rows"), "rows");
  request->chain = to_chain(to_array(info[2], "chain"));
  request->chain.first_step = counter(options, "firstStep");
  request->seed = seed(options);
  request->threads = static_cast<int>(to_whole(options.Get("threads"), "threads", 0, INT32_MAX));
  if (request->images.size() != request->rows.size() * request->size.pixels())
    throw Error("ERR_FER_ARGUMENT", "expected rows x height x width bytes of images, got " + std::to_string(request->images.size()));

  Job job;
  job.work = [request] {
    const size_t bytes = request->rows.size() * request->chain.output_size(request->size).pixels();
    require_memory(bytes, "a batch of " + std::to_string(request->rows.size()) + " perturbed images");
    request->out.resize(bytes);
    perturb::perturb(request->chain, request->images.data(), request->rows.size(), request->size, request->rows.data(), request->seed,
                     request->threads, request->out.data());
  };
  job.result = [request](Napi::Env env) -> Napi::Value {
    const perturb::Size out_size = request->chain.output_size(request->size);
    Napi::Object result = Napi::Object::New(env);
    result.Set("images", from_values(env, std::move(request->out)));
    result.Set("width", out_size.width);
    result.Set("height", out_size.height);
    return result;
  };
  return queue_of(info.Env()).add(info.Env(), request.get(), std::move(job));
}

}  // namespace fer::addon
