// The network as data: Mini_Xception's layers, their shapes and where their parameters lie.
//
// Activations are NHWC. Channels are padded to a multiple of the backend's alignment; padded channels
// hold zeros, and zeros stay zeros through forward, backward and optimiser, so nothing but import and
// export knows about them.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace fer {

struct Spec {
  int stem[2] = {8, 8};
  std::vector<int> modules = {16, 32, 64, 128};
  int classes = 7;
  int input_size = 48;
};

// How a tensor of PyTorch's layout is stored natively.
enum class Storage {
  kConvolution,  // [out][in][kh][kw]  ->  [kh][kw][in padded][out padded]
  kDepthwise,    // [channels][1][3][3] ->  [kh][kw][channels padded]
  kVector,       // [channels]         ->  [channels padded]
};

struct TensorInfo {
  std::string name;
  std::vector<int> shape;  // PyTorch's
  Storage storage;
  bool trainable;
  size_t offset;  // floats, within the parameters (trainable) or the running statistics
  size_t size;    // floats, padded
  int in_padded, out_padded;
  float initial;  // for vectors; convolutions are drawn at random

  size_t element_count() const;
  // Index in native storage of element `i` of the PyTorch layout.
  size_t native_index(size_t i) const;
};

struct BatchNormSlots {
  size_t gamma, beta;                // within the parameters
  size_t running_mean, running_var;  // within the running statistics
  int index;                         // which batch norm of the network, in order
  int channels;                      // padded
  size_t memory;                     // channels of the batch norms before this one
};

struct ConvolutionLayer {  // 3x3, no padding: the stem
  int in_size, out_size, in_channels, out_channels;
  size_t weight;
  BatchNormSlots bn;
};

struct SeparableLayer {  // depthwise 3x3, padded, then pointwise
  int size, in_channels, out_channels;
  size_t depthwise, pointwise;
  BatchNormSlots bn;
};

struct ModuleLayer {
  int in_size, out_size, in_channels, out_channels;
  SeparableLayer separable1, separable2;
  size_t shortcut;
  BatchNormSlots shortcut_bn;
};

struct Plan {
  Spec spec;
  ConvolutionLayer stem[2];
  std::vector<ModuleLayer> modules;
  int head_size, head_channels, classes_padded;
  size_t head_weight, head_bias;

  std::vector<TensorInfo> tensors;
  size_t parameter_floats = 0;  // padded
  size_t statistic_floats = 0;  // padded
  size_t parameter_count = 0;   // as published: unpadded and trainable
  int64_t multiply_adds = 0;    // a forward pass of one image
  int batch_norms = 0;
  size_t batch_norm_channels = 0;  // sum over batch norms, padded
};

// Throws Error(ERR_FER_ARGUMENT) for widths, classes or an input size that make no network.
Plan make_plan(const Spec& spec, int channel_alignment);

}  // namespace fer
