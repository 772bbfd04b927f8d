// Finds and opens the CUDA plug-in: fer-cudnn-cuda.so beside the addon, or the file that FER_CUDA_PLUGIN names.
#pragma once
#include <memory>
#include <string>

#include "backend.h"
#include "plugin/interface.h"

namespace fer::plugin {

struct CudaPlugin {
  std::string path;
  const Table* table = nullptr;  // null where it cannot be used
  std::string problem;           // why, and what to do, a sentence; empty: all is well
};

// Opens the plug-in's file, not the GPU. Never throws.
CudaPlugin open_cuda_plugin();

// A backend on GPU number `device`. Throws ERR_FER_DEVICE_UNAVAILABLE, saying what is missing and how to get it.
std::unique_ptr<Backend> make_cuda_backend(int device, const DeviceOptions& options);

}  // namespace fer::plugin
