#include "devices/cuda/cudnn_library.h"

#include <dlfcn.h>
#include <glob.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "base/error.h"

namespace fer::cuda {
namespace {

namespace fs = std::filesystem;

constexpr const char* kName = "libcudnn.so.9";
// In the order of their dependencies on one another.
constexpr const char* kSubLibraries[] = {"libcudnn_graph.so.9",
                                         "libcudnn_ops.so.9",
                                         "libcudnn_cnn.so.9",
                                         "libcudnn_adv.so.9",
                                         "libcudnn_engines_precompiled.so.9",
                                         "libcudnn_engines_runtime_compiled.so.9",
                                         "libcudnn_heuristic.so.9"};
// Parts that newer ones have besides, and are asked for only then.
struct NewerPart {
  size_t since;  // cudnnGetVersion
  const char* name;
};
constexpr NewerPart kNewerParts[] = {{92100, "libcudnn_engines_tensor_ir.so.9"}, {92400, "libcudnn_ext.so.9"}};
// Of the CUDA toolkit: where pip puts each, beside cuDNN's own package, and the package.
struct Sibling {
  const char *name, *folder, *package;
  bool needed;  // without the others cuDNN does less
};
constexpr Sibling kSiblings[] = {{"libcublasLt.so.12", "cublas", "nvidia-cublas-cu12", true},
                                 {"libcublas.so.12", "cublas", "nvidia-cublas-cu12", true},
                                 {"libnvrtc.so.12", "cuda_nvrtc", "nvidia-cuda-nvrtc-cu12", false}};
constexpr const char* kInstall = "Install it with: python3 -m pip install nvidia-cudnn-cu12 (or set CUDNN_PATH to the folder that has it)";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void add_matches(const std::string& pattern, std::vector<std::string>& files) {
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
    for (size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  globfree(&found);
}

// Where Python packages of an installation at `prefix` keep cuDNN: site-packages, Debian's dist-packages.
void add_python(const std::string& prefix, std::vector<std::string>& patterns) {
  const std::string pattern = (prefix == "/" ? "" : prefix) + "/lib/python3*/*-packages/nvidia/cudnn/lib";
  if (std::find(patterns.begin(), patterns.end(), pattern) == patterns.end()) patterns.push_back(pattern);
}

// Prefixes of the python3 that PATH finds: the link's own, its target's, and, behind pyenv's shims, those of its versions.
void add_path_python(std::vector<std::string>& patterns) {
  std::istringstream path(variable("PATH"));
  for (std::string folder; std::getline(path, folder, ':');) {
    std::error_code error;
    const fs::path python = fs::path(folder) / "python3", target = fs::canonical(python, error);
    if (folder.empty() || error) continue;
    const fs::path prefix = fs::path(folder).parent_path();
    if (fs::path(folder).filename() == "shims") add_python((prefix / "versions/*").string(), patterns);
    add_python(prefix.string(), patterns);
    add_python(target.parent_path().parent_path().string(), patterns);
  }
}

// Folders to look in, some of them patterns; "" stands for the system's loader, which knows LD_LIBRARY_PATH and ldconfig's cache.
std::vector<std::string> places() {
  std::vector<std::string> all;
  if (const std::string own = variable("CUDNN_PATH"); !own.empty())
    for (const char* below : {"/lib", "/lib64", ""}) all.push_back(own + below);
  all.push_back("");
  if (const std::string env = variable("VIRTUAL_ENV"); !env.empty()) add_python(env, all);
  if (const std::string conda = variable("CONDA_PREFIX"); !conda.empty()) {
    all.push_back(conda + "/lib");
    add_python(conda, all);
  }
  add_path_python(all);
  if (const std::string home = variable("HOME"); !home.empty()) add_python(home + "/.local", all);
  add_python("/usr/local", all);
  all.push_back("/usr/local/cuda/lib64");
  return all;
}

std::string last_loader_error() {
  const char* text = dlerror();
  return text ? text : "unknown reason";
}

struct Opened {
  CudnnProbe probe;
  void* handle = nullptr;
};

void* open_library(const std::string& path) { return dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE); }

// Opens what cuDNN in `folder` will ask the loader for when it runs.
void open_siblings(const std::string& folder, CudnnProbe& probe) {
  for (const Sibling& sibling : kSiblings) {
    const std::string beside = folder + "../../" + sibling.folder + "/lib/" + sibling.name;
    if (std::error_code error; !folder.empty() && fs::exists(beside, error) && open_library(beside)) continue;
    if (open_library(sibling.name)) continue;
    const std::string lacks = std::string(sibling.name) + " was not found";
    const std::string install = std::string(". Install it with: python3 -m pip install ") + sibling.package;
    if (sibling.needed) {
      probe.problem = "cuDNN at " + probe.library + " cannot multiply: ";
      probe.problem += lacks;
      probe.problem += ", which its convolutions open when they run";
      probe.problem += install;
      return;
    }
    probe.note = lacks;
    probe.note += ", so its engines that are compiled at run time are left out";
    probe.note += install;
  }
}

// Opens the libcudnn.so.9 at `path` (a bare name: the loader finds it) after everything it will open itself.
Opened open_at(const std::string& path) {
  Opened result;
  result.probe.library = path;
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  std::string missing;
  // All there, before the first is opened: a part of this cuDNN in memory would get in the way of another's.
  for (const char* name : kSubLibraries)
    if (std::error_code error; !folder.empty() && !fs::exists(folder + name, error)) missing += (missing.empty() ? "" : ", ") + std::string(name);
  for (size_t i = 0; i < std::size(kSubLibraries) && missing.empty(); ++i)
    if (!open_library(folder + kSubLibraries[i])) missing = std::string(kSubLibraries[i]) + " (" + last_loader_error() + ")";
  for (const NewerPart& part : kNewerParts)
    if (std::error_code error; missing.empty() && fs::exists(folder + part.name, error) && !open_library(folder + part.name))
      missing = std::string(part.name) + " (" + last_loader_error() + ")";
  auto incomplete = [&] {
    result.probe.problem =
        "cuDNN at " + path + " is incomplete: it lacks " + missing +
        ", without which cuDNN would abort the process. Reinstall it with: python3 -m pip install --force-reinstall nvidia-cudnn-cu12";
    return result;
  };
  if (!missing.empty()) return incomplete();
  result.handle = open_library(path);
  if (!result.handle) {
    result.probe.problem = "cuDNN at " + path + " cannot be opened: " + last_loader_error();
    return result;
  }
  const auto version = reinterpret_cast<size_t (*)()>(dlsym(result.handle, "cudnnGetVersion"));
  const auto runtime = reinterpret_cast<size_t (*)()>(dlsym(result.handle, "cudnnGetCudartVersion"));
  if (!version || !runtime) {
    result.probe.problem = path + " is no cuDNN 9: it has no cudnnGetVersion. " + kInstall;
    return result;
  }
  result.probe.version = version();
  for (const NewerPart& part : kNewerParts)
    if (std::error_code error; result.probe.version >= part.since && !folder.empty() && !fs::exists(folder + part.name, error))
      missing += (missing.empty() ? "" : ", ") + std::string(part.name);
  if (!missing.empty()) return incomplete();
  if (const size_t cuda = runtime(); cuda < 12000 || cuda >= 13000)
    result.probe.problem = "cuDNN " + result.probe.version_text() + " at " + path + " is built for CUDA " + std::to_string(cuda / 1000) +
                           "; one for CUDA 12 is needed. " + kInstall;
  else open_siblings(folder, result.probe);
  return result;
}

// The first cuDNN that can be used, or else the first there is with what is wrong with it.
Opened search() {
  Opened best;
  std::vector<std::string> searched;
  for (const std::string& place : places()) {
    std::vector<std::string> candidates;
    if (place.empty()) {
      searched.emplace_back("the system's libraries");
      // Opened without being bound: only to learn whether, and where, there is one.
      if (void* there = dlopen(kName, RTLD_LAZY | RTLD_LOCAL)) {
        Dl_info info{};
        void* symbol = dlsym(there, "cudnnGetVersion");
        candidates.emplace_back(symbol && dladdr(symbol, &info) && info.dli_fname ? info.dli_fname : kName);
        dlclose(there);
      }
    } else {
      searched.push_back(place);
      add_matches(place + '/' + kName, candidates);
    }
    for (const std::string& candidate : candidates) {
      Opened opened = open_at(candidate);
      const bool usable = opened.probe.usable();
      if (usable || best.probe.library.empty()) best = std::move(opened);
      if (!usable) continue;
      best.probe.searched = std::move(searched);
      return best;
    }
  }
  if (best.probe.library.empty()) best.probe.problem = std::string("cuDNN 9 was not found (") + kName + "). " + kInstall;
  best.probe.searched = std::move(searched);
  return best;
}

}  // namespace

std::string CudnnProbe::version_text() const {
  return std::to_string(version / 10000) + '.' + std::to_string(version / 100 % 100) + '.' + std::to_string(version % 100);
}

CudnnProbe CudnnLibrary::probe() { return search().probe; }

CudnnLibrary::CudnnLibrary() {
  Opened opened = search();
  found_ = std::move(opened.probe);
  handle_ = opened.handle;
  if (!found_.usable()) throw Error("ERR_FER_DEVICE_UNAVAILABLE", found_.problem);
}

void* CudnnLibrary::symbol(const char* name) const {
  void* found = dlsym(handle_, name);
  if (!found)
    throw Error("ERR_FER_DEVICE_UNAVAILABLE",
                "cuDNN " + found_.version_text() + " at " + found_.library + " has no " + name + "; a newer cuDNN 9 is needed");
  return found;
}

}  // namespace fer::cuda
