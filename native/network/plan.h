// The network as data: Mini_Xception's layers in the order they run, the values between them and the tensors they read. All
// that anyone knows about its topology comes from here.
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
  float initial;  // where fan_in is 0
  int fan_in;     // products a sum of the layer has: random initial values are bounded by 1 / sqrt(fan_in)

  size_t element_count() const;
  // Index in native storage of element `i` of the PyTorch layout.
  size_t native_index(size_t i) const;
};

// Square images of `size` x `size` pixels, or vectors (size 1).
struct Value {
  std::string name;  // of those an explanation can be asked at; empty: no name
  int size, channels, padded;
  int from = -1, last = -1;  // the layer that makes it (-1: the input) and the last one that reads it

  size_t pixels() const { return static_cast<size_t>(size) * size; }
  size_t floats() const { return pixels() * padded; }  // of one image
};

enum class LayerKind { kConvolution, kBatchNorm, kRelu, kMaxPool, kAdd, kAveragePool };

struct Layer {
  LayerKind kind;
  std::string name = {};    // what its tensors' names begin with; empty where it has none
  std::vector<int> inputs;  // values
  int output;               // value
  int kernel = 0, stride = 1;
  bool same = false;              // padded as TensorFlow's 'same' (on the right alone, where the padding is odd); false: not padded
  bool depthwise = false;         // as many groups as channels
  std::vector<int> tensors = {};  // convolution: weight and perhaps bias; batch norm: weight, bias, running mean, running variance
};

struct Plan {
  Spec spec;
  std::vector<TensorInfo> tensors;  // in the order files list them
  std::vector<Value> values;        // the first is the input, the last the logits
  std::vector<Layer> layers;

  size_t parameter_floats = 0;  // padded
  size_t statistic_floats = 0;  // padded
  size_t parameter_count = 0;   // as published: unpadded and trainable
  int64_t multiply_adds = 0;    // a forward pass of one image
};

// Throws Error(ERR_FER_ARGUMENT) for widths, classes or an input size that make no network.
Plan make_plan(const Spec& spec, int channel_alignment);

const char* name_of(LayerKind kind);

}  // namespace fer
