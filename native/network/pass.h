// The fused lowering, bound to memory: the ops of a forward and of a backward pass over a batch. Training and explanations
// take the same backward pass; what differs between them is a rule.
#pragma once
#include <span>
#include <vector>

#include "backend.h"
#include "buffer.h"
#include "network/fusion.h"

namespace fer {

// What ops read and write of the network itself.
struct Weights {
  const float* parameters;
  float* gradients;            // laid out as the parameters; null where there is no backward pass
  std::span<BatchNorm> norms;  // as fusion.norms; the ops point into it
};

enum class Purpose { kInference, kTraining, kExplanation };

// The first layer's one input channel among zero channels: what its gradient is computed with.
struct WideInput {
  int channels;
  const float *x, *weight;
  float* d_weight;
};

struct BackwardRule {
  int to = -1;                               // the value whose gradient is wanted; -1: none, those of all weights
  bool batch_statistics = true;              // false: batch norm is a fixed affine map
  std::span<const BatchNorm> upstream = {};  // whose a, b and c the gradients pass through; empty: the weights' norms
  bool guided = false;                       // a ReLU hands on positive gradients only (Springenberg et al., 2015)
  const WideInput* input = nullptr;          // where the gradient of the input itself is wanted
};

class Pass {
 public:
  // Takes memory for `batch` images. Throws ERR_FER_OUT_OF_MEMORY.
  Pass(Backend& backend, const Plan& plan, const Fusion& fusion, Purpose purpose, int batch);
  static size_t bytes_an_image(const Backend& backend, const Plan& plan, const Fusion& fusion, Purpose purpose);
  // Floats of the largest gradient an op writes for an image.
  static size_t largest_gradient(const Plan& plan, const Fusion& fusion);

  int batch() const { return batch_; }
  size_t bytes() const { return floats_.bytes() + flags_.bytes() + gradients_.bytes(); }
  // Device memory of a value that fusion keeps, [n][size][size][padded], and of the gradient of what its readers see.
  float* stored(int value) const { return floats_.data() + at_.stored[value] * batch_; }
  float* gradient(int value) const { return gradients_.data() + at_.gradients[value] * batch_; }
  float* input() const { return stored(0); }
  float* logits() const { return stored(last_value()); }
  float* d_logits() const { return gradient(last_value()); }

  // From `input`, which Gather fills, to `logits`.
  std::vector<Op> forward(const Weights& weights, int n, bool training) const;
  // From `d_logits`, after a forward pass of as many images.
  std::vector<Op> backward(const Weights& weights, int n, const BackwardRule& rule) const;

 private:
  // Offsets for one image; a batch's are that many times as large, so that every tensor starts on a cache line.
  struct Offsets {
    std::vector<size_t> stored, gradients;     // by value
    std::vector<size_t> inner, argmax, aside;  // by op: depthwise result or taps; taps of maxima; the shortcut's gradient
    size_t floats = 0, flags = 0, gradient_floats = 0;
  };
  static Offsets lay_out_all(const Backend& backend, const Plan& plan, const Fusion& fusion, Purpose purpose);
  class Walk;
  class ForwardOps;
  class BackwardOps;

  int last_value() const { return static_cast<int>(plan_.values.size()) - 1; }

  const Plan& plan_;
  const Fusion& fusion_;
  int batch_;
  bool keeps_depthwise_, keeps_maxima_, half_;
  Offsets at_;
  Buffer<float> floats_, gradients_;
  Buffer<uint8_t> flags_;
};

}  // namespace fer
