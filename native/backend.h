// What a device must implement: memory, and the fused operations of one training step.
//
// Layouts: activations NHWC, float32; convolution weights [kh][kw][in][out]; depthwise [kh][kw][channel].
// Fusion contract: a convolution writes its raw output z and the sums batch norm needs; the normalised
// activation is never stored. Whoever reads it applies scale and shift (and ReLU) while loading (`View`).
// Backward mirrors that: an op receives the gradient of its normalised output and forms
//   dz = a * g + b * z + c      (batch norm's backward, one fused multiply-add chain a channel)
// while loading, and leaves behind the gradient of its own input, ReLU mask applied, with the two sums
// the batch norm before it needs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/augment.h"

namespace fer {

// One batch norm: its parameters and what forward and backward leave for each other. Length `channels`.
struct BatchNorm {
  int channels;
  const float *gamma, *beta;
  float *running_mean, *running_var;
  float *mean, *inv_std;    // of the batch
  float *scale, *shift;     // normalised = z * scale + shift
  float *d_gamma, *d_beta;  // gradients: sum of g * z_hat, sum of g
  float *a, *b, *c;         // dz = a * g + b * z + c
};

// A tensor as its reader sees it: z itself (bn null), or max(z * bn->scale + bn->shift, 0).
struct View {
  const float* z;
  const BatchNorm* bn;
};

// The gradient of a batch-normalised output; see the fusion contract above.
struct Upstream {
  const float* g;         // dense [n,h,w,c], or pooled [n,ho,wo,c] where `argmax` is given
  const uint8_t* argmax;  // which of the nine taps each maximum came from
  const float* z;         // raw output of the convolution being differentiated
  const BatchNorm* bn;
};

struct ConvolutionShape {
  int n, in_size, in_channels, out_channels;
};  // 3x3, valid
struct SeparableShape {
  int n, size, in_channels, out_channels;
};  // 3x3, zero-padded
struct ShortcutShape {
  int n, in_size, in_channels, out_channels;
};  // 1x1, stride 2
struct PoolShape {
  int n, in_size, channels;
};  // 3x3, stride 2, TensorFlow 'same'
struct HeadShape {
  int n, size, channels, classes, classes_padded;
};

// What changes from one training step to the next. Lives in device memory, so that a recorded step can be replayed.
struct StepState {
  int32_t index;          // of the step in its epoch; -1 before the first
  uint32_t begin, epoch;  // the batch starts at order[begin]
  float learning_rate;
  float correction1, correction2;  // Adam: 1 - beta1^t and sqrt(1 - beta2^t)
  float ema_decay;
  uint32_t first;  // the optimiser's very first step
};

// Rows order[begin .. begin + n) of a resident data set; everything in device memory.
struct Batch {
  const uint8_t* images;  // [rows][size][size]
  const uint8_t* labels;  // [rows], null where no op needs them
  int size;
  const uint32_t* order;
  const StepState* step;  // null: the batch begins at order[0]
  int n;
  const Variant* variants = nullptr;  // as long as `order`; null: every row at its first drawing
};

struct LossOptions {
  float label_smoothing;
  const float* class_weights;
};  // weights: device pointer or null
struct LossTotals {
  double loss_sum;
  int64_t correct;
};

enum class OptimizerKind { kSgd, kAdam, kAdamW };
struct OptimizerRule {
  OptimizerKind kind;
  float momentum, weight_decay, beta1, beta2, epsilon;
  bool nesterov;
  float clip_norm;  // 0: off
  bool averages;    // keep the exponential average of the weights
};

// A sequence of ops that is run again and again.
class Program {
 public:
  virtual ~Program() = default;
  virtual void run() = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string description() const = 0;
  virtual int threads() const = 0;
  virtual int channel_alignment() const = 0;
  // Whether a separable convolution's backward wants the depthwise result `d` kept; where not, d is null and formed again.
  virtual bool keeps_depthwise() const = 0;

  // Memory. `allocate` zero-fills and throws ERR_FER_OUT_OF_MEMORY; freed by `release`.
  virtual void* allocate(size_t bytes) = 0;
  virtual void release(void* pointer) = 0;
  virtual size_t free_bytes() const = 0;  // what could be allocated now
  virtual void upload(void* device, const void* host, size_t bytes) = 0;
  virtual void download(void* host, const void* device, size_t bytes) = 0;
  virtual void copy(void* to, const void* from, size_t bytes) = 0;
  virtual void zero(void* device, size_t bytes) = 0;

  // True where ops return before they are done; `download` waits for all of them.
  virtual bool asynchronous() const = 0;
  // `ops` submits ops of this backend, the same with the same arguments whenever it is called.
  virtual std::unique_ptr<Program> record(std::function<void()> ops) = 0;
  // now = schedule[now->index + 1]
  virtual void advance(const StepState* schedule, StepState* now) = 0;

  // Input: the batch's images, brought to out_size, scaled to -1..1 and augmented (by the step's epoch, where there is a step).
  virtual void gather(const Batch&, const AugmentPass* augment, int out_size, float* x) = 0;

  // Forward. `training` collects batch statistics, updates the running ones and fills bn->scale/shift.
  virtual void convolution_forward(const ConvolutionShape&, View in, const float* weight, float* z, BatchNorm* bn, bool training) = 0;
  virtual void separable_forward(const SeparableShape&, View in, const float* depthwise, const float* pointwise, float* d, float* z, BatchNorm* bn,
                                 bool training) = 0;
  virtual void shortcut_forward(const ShortcutShape&, View in, const float* weight, float* z, BatchNorm* bn, bool training) = 0;
  // out = max pool(main normalised, no ReLU) + shortcut normalised; argmax may be null.
  virtual void pool_add_forward(const PoolShape&, const float* main_z, const BatchNorm* main_bn, const float* shortcut_z,
                                const BatchNorm* shortcut_bn, float* out, uint8_t* argmax) = 0;
  // Convolution 3x3 (padded, bias) and global average pooling; both are linear, so the nine windowed means
  // of x (`taps` [n,9,c]) are multiplied by the weights once.
  virtual void head_forward(const HeadShape&, const float* x, const float* weight, const float* bias, float* taps, float* logits) = 0;

  // Mean loss over the batch (weighted as PyTorch's cross_entropy does) and its gradient; `totals` (device memory) grows by
  // the mean loss times n and by the number of correct images.
  virtual void softmax_cross_entropy(const HeadShape&, const float* logits, const Batch&, const LossOptions&, float* d_logits,
                                     LossTotals* totals) = 0;

  // Backward. Weight gradients are overwritten.
  virtual void head_backward(const HeadShape&, const float* d_logits, const float* taps, const float* weight, float* d_weight, float* d_bias,
                             float* dx) = 0;
  virtual void pool_add_backward(const PoolShape&, const float* g, const uint8_t* argmax, const float* main_z, BatchNorm* main_bn,
                                 const float* shortcut_z, BatchNorm* shortcut_bn) = 0;
  // `dx` [n,ho,wo,in]: gradient at the even pixels only.
  virtual void shortcut_backward(const ShortcutShape&, const Upstream&, View in, const float* weight, float* d_weight, float* dx) = 0;
  // Adds `shortcut_dx` (may be null) into its result; where `in` is a normalised view, masks by ReLU and fills in_bn's sums.
  virtual void separable_backward(const SeparableShape&, const Upstream&, View in, BatchNorm* in_bn, const float* d, const float* depthwise,
                                  const float* pointwise, float* d_depthwise, float* d_pointwise, const float* shortcut_dx, float* dx) = 0;
  // `dx` may be null (first layer).
  virtual void convolution_backward(const ConvolutionShape&, const Upstream&, View in, BatchNorm* in_bn, const float* weight, float* d_weight,
                                    float* dx) = 0;

  // Clip, update parameters from gradients, update moments and averaged weights: one pass.
  virtual void optimize(const OptimizerRule&, const StepState* step, size_t count, float* parameters, const float* gradients, float* moment1,
                        float* moment2, float* average) = 0;
  // average = decay * average + (1 - decay) * values, with the step's ema_decay
  virtual void update_average(const StepState* step, size_t count, const float* values, float* average) = 0;

  // Fill bn->scale and bn->shift from the running statistics: inference's constants.
  virtual void use_running_statistics(const BatchNorm& bn) = 0;

  // Runs `body(lane, backend)` for every lane 0..lanes-1, each with a backend of its own to submit to: inference
  // on the CPU goes image by image through the whole network, so that its activations stay in cache.
  virtual int lanes() const = 0;
  // Images a lane should carry at once.
  virtual int inference_batch() const = 0;
  virtual void for_each_lane(const std::function<void(int lane, Backend& backend)>& body) = 0;
};

// What convolutions multiply in. Weights, statistics, gradients of weights and the optimiser are float32 in every mode.
enum class Precision { kFp32, kTf32, kBf16 };

struct DeviceOptions {
  int threads = 0;                         // of the CPU; 0: one a core
  Precision precision = Precision::kFp32;  // the CPU has float32 only
};

inline constexpr float kBatchNormEpsilon = 1e-3f;  // the reference network's
inline constexpr float kBatchNormMomentum = 0.1f;  // PyTorch's default

std::unique_ptr<Backend> make_cpu_backend(int threads);

}  // namespace fer
