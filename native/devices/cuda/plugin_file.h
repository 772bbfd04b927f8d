// Finds and opens the CUDA plug-in: fer-cudnn-cuda.so beside the addon, or the file that FER_CUDA_PLUGIN names.
#pragma once
#include <string>

#include "plugin/interface.h"

namespace fer::cuda {

struct PluginFile {
  std::string path;
  const plugin::Table* table = nullptr;  // null where it cannot be used
  std::string problem;                   // why, and what to do, a sentence; empty: all is well
};

// Opens the plug-in's file, not the GPU. Never throws.
PluginFile open_plugin_file();

}  // namespace fer::cuda
