#include "addon/devices.h"

#include "devices/cuda/cudnn_library.h"
#include "devices/cuda/driver.h"
#include "devices/cuda/plugin_file.h"

namespace fer::addon {

Napi::Value probe_cuda(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const plugin::CudaPlugin found = plugin::open_cuda_plugin();
  Napi::Object plugin = Napi::Object::New(env);
  plugin.Set("path", found.path);
  plugin.Set("runTime", found.table ? found.table->run_time : "");
  plugin.Set("problem", found.problem);

  const plugin::CudaDriver asked = plugin::probe_cuda_driver();
  Napi::Object driver = Napi::Object::New(env);
  driver.Set("version", asked.version ? asked.version_text() : "");
  driver.Set("problem", asked.problem);
  Napi::Array gpus = Napi::Array::New(env);
  for (const plugin::CudaGpu& gpu : asked.gpus) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("name", gpu.name);
    object.Set("computeCapability", std::to_string(gpu.major) + '.' + std::to_string(gpu.minor));
    object.Set("memoryBytes", static_cast<double>(gpu.memory_bytes));
    gpus.Set(gpus.Length(), object);
  }
  driver.Set("gpus", gpus);

  const cuda::CudnnProbe probed = cuda::CudnnLibrary::probe();
  Napi::Object cudnn = Napi::Object::New(env);
  cudnn.Set("library", probed.library);
  cudnn.Set("version", probed.version ? probed.version_text() : "");
  cudnn.Set("problem", probed.problem);
  Napi::Array searched = Napi::Array::New(env);
  for (const std::string& place : probed.searched) searched.Set(searched.Length(), place);
  cudnn.Set("searched", searched);

  Napi::Object all = Napi::Object::New(env);
  all.Set("plugin", plugin);
  all.Set("driver", driver);
  all.Set("cudnn", cudnn);
  return all;
}

}  // namespace fer::addon
