#include "devices/cuda/plugin_file.h"

#include <dlfcn.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace fer::cuda {
namespace {

constexpr const char* kFile = "fer-cudnn-cuda.so";
constexpr const char* kEntryPoint = "fer_cuda_plugin";

std::string beside_this_binary() {
  Dl_info here{};
  dladdr(reinterpret_cast<void*>(&open_plugin_file), &here);
  return (std::filesystem::path(here.dli_fname ? here.dli_fname : "").parent_path() / kFile).string();
}

}  // namespace

PluginFile open_plugin_file() {
  PluginFile file;
  const char* given = std::getenv("FER_CUDA_PLUGIN");
  file.path = given && *given ? given : beside_this_binary();
  if (std::error_code error; !std::filesystem::exists(file.path, error)) {
    file.problem = "this build of fer-cudnn has no CUDA part: " + file.path +
                   " is not there. Prebuilt for linux-x64, it comes with the npm package; in a clone, build it with: npm run build:cuda";
    return file;
  }
  // Its symbols stay its own, and it stays: a CUDA run time is not to be unloaded.
  void* library = dlopen(file.path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    file.problem = std::string("the CUDA part of fer-cudnn cannot be opened: ") + dlerror();
    return file;
  }
  const auto entry = reinterpret_cast<plugin::EntryPoint>(dlsym(library, kEntryPoint));
  const plugin::Table* table = entry ? entry() : nullptr;
  if (!table || std::strcmp(table->version, FER_VERSION) != 0)
    file.problem = file.path + " belongs to " + (table ? std::string("fer-cudnn ") + table->version : "another program") +
                   ", and this is fer-cudnn " + FER_VERSION + ": install or build both together";
  else file.table = table;
  return file;
}

}  // namespace fer::cuda
