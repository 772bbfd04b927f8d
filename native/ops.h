// The operations that a device runs, as plain data: one struct an op, its contract in its comment, and at the end their list.
//
// Layouts: activations NHWC, float32 (or bf16: Shape::half); convolution weights [kh][kw][in][out]; depthwise [kh][kw][channel]. All pointers are
// device memory. Fusion contract: a convolution writes its raw output z and the sums batch norm needs; the normalised
// activation is never stored. Whoever reads it applies scale and shift (and ReLU) while loading (`View`).
// Backward mirrors that: an op receives the gradient of its normalised output and forms
//   dz = a * g + b * z + c      (batch norm's backward, one fused multiply-add chain a channel)
// while loading, and leaves behind the gradient of its own input, ReLU mask applied, with the two sums
// the batch norm before it needs. Weight gradients are overwritten.
#pragma once
#include <cstddef>
#include <cstdint>
#include <variant>

#include "data/augment.h"

namespace fer {

inline constexpr float kBatchNormEpsilon = 1e-3f;  // the reference network's
inline constexpr float kBatchNormMomentum = 0.1f;  // PyTorch's default

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
  BatchNorm* bn;
};

// The gradient of a batch-normalised output; see the fusion contract above.
struct Upstream {
  const float* g;         // dense [n,h,w,c], or pooled [n,ho,wo,c] where `argmax` is given
  const uint8_t* argmax;  // which of the nine taps each maximum came from
  const float* z;         // raw output of the convolution being differentiated
  const BatchNorm* bn;
};

// `size`: of the square input. Channels are padded. `half`: activations and their gradients lie in memory as bf16 behind the ops'
// float pointers; not so the picture, which a convolution without a norm before it reads, nor the head's means and logits. Only
// for backends that say so (Backend::keeps_half).
struct Shape {
  int n, size, in_channels, out_channels;
  bool half = false;
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

// now = schedule[now->index + 1]
struct Advance {
  const StepState* schedule;
  StepState* now;
};

// Rows order[begin .. begin + n) of a resident data set.
struct Batch {
  const uint8_t* images;  // [rows][size][size]
  const uint8_t* labels;  // [rows], null where no op needs them
  int size;
  const uint32_t* order;
  const StepState* step;  // null: the batch begins at order[0]
  int n;
  const Variant* variants;  // as long as `order`; null: every row at its first drawing
};

// x [n][out_size][out_size]: the batch's images, resized, scaled to -1..1 and, where it `augments`, augmented by `pass` (in
// the step's epoch, where there is a step).
struct Gather {
  Batch batch;
  bool augments;
  AugmentPass pass;
  int out_size;
  float* x;
};

// Forward ops: `training` collects batch statistics, updates the running ones and fills bn->scale and bn->shift.

// 3x3, valid.
struct ConvolutionForward {
  Shape shape;
  View in;
  const float* weight;
  float* z;
  BatchNorm* bn;
  bool training;
};

// Depthwise 3x3, zero-padded, then pointwise. `d` keeps the depthwise result; null: not kept.
struct SeparableForward {
  Shape shape;
  View in;
  const float *depthwise, *pointwise;
  float *d, *z;
  BatchNorm* bn;
  bool training;
};

// 1x1, stride 2.
struct ShortcutForward {
  Shape shape;
  View in;
  const float* weight;
  float* z;
  BatchNorm* bn;
  bool training;
};

// out = max pool(main normalised, no ReLU) + shortcut normalised; pooling 3x3, stride 2, TensorFlow's 'same'. `argmax` may be null.
struct PoolAddForward {
  Shape shape;
  const float* main_z;
  const BatchNorm* main_bn;
  const float* shortcut_z;
  const BatchNorm* shortcut_bn;
  float* out;
  uint8_t* argmax;
};

// Convolution 3x3 (zero-padded, bias) to the classes and global average pooling; both are linear, so the nine windowed means
// of x (`taps` [n,9,c]) are multiplied by the weights once. shape.out_channels: the classes, padded.
struct HeadForward {
  Shape shape;
  const float *x, *weight, *bias;
  float *taps, *logits;
};

// What a teacher says of a batch, softened: probabilities [n][padded] = share * softmax(logits / temperature), added to what the
// teachers before it said unless it is the `first`.
struct Soften {
  int n, classes, padded;
  const float* logits;
  float temperature, share;
  bool first;
  float* probabilities;
};

// Learning from softened probabilities beside the labels (Hinton, Vinyals, Dean 2015).
struct Distillation {
  const float* targets;  // [n][padded], softened by `temperature`; null: from the labels alone
  float share;           // of the loss, 0..1
  float temperature;
};
struct LossOptions {
  float label_smoothing;
  const float* class_weights;  // [classes] or null
  Distillation distillation;
};
struct LossTotals {
  double loss_sum;
  int64_t correct;
};

// Mean loss over the batch (weighted as PyTorch's cross_entropy does) and its gradient; with distillation (1 - share) of it, and
// share * temperature^2 times the mean divergence KL(targets || softmax(logits / temperature)). `totals` grows by the loss times n
// and by the number of correct images. Logits are [n][padded].
struct SoftmaxCrossEntropy {
  int classes, padded;
  const float* logits;
  Batch batch;
  LossOptions options;
  float* d_logits;
  LossTotals* totals;
};

// `x` and `taps`: as the forward op had and left them; a device reads the one that it needs.
struct HeadBackward {
  Shape shape;
  int classes;
  const float *d_logits, *x, *taps, *weight;
  float *d_weight, *d_bias, *dx;
};

// Fills both batch norms' sums; the gradients themselves are formed by the ops that read g.
struct PoolAddBackward {
  Shape shape;
  const float* g;
  const uint8_t* argmax;
  const float* main_z;
  BatchNorm* main_bn;
  const float* shortcut_z;
  BatchNorm* shortcut_bn;
};

// `dx` [n,ho,wo,in]: gradient at the even pixels only.
struct ShortcutBackward {
  Shape shape;
  Upstream up;
  View in;
  const float* weight;
  float *d_weight, *dx;
};

// `d`: the depthwise result, null where the device keeps none. Adds `shortcut_dx` (may be null) into its result; where `in` is
// a normalised view, masks by ReLU and fills in.bn's sums.
struct SeparableBackward {
  Shape shape;
  Upstream up;
  View in;
  const float *d, *depthwise, *pointwise;
  float *d_depthwise, *d_pointwise;
  const float* shortcut_dx;
  float* dx;
};

// As SeparableBackward; `dx` may be null (first layer).
struct ConvolutionBackward {
  Shape shape;
  Upstream up;
  View in;
  const float* weight;
  float *d_weight, *dx;
};

// values = max(values, 0): what guided backpropagation does to a gradient.
struct Rectify {
  size_t count;
  float* values;
};

enum class OptimizerKind { kSgd, kAdam, kAdamW };
struct OptimizerRule {
  OptimizerKind kind;
  float momentum, weight_decay, beta1, beta2, epsilon;
  bool nesterov;
  float clip_norm;  // 0: off
  bool averages;    // keep the exponential average of the weights
};

// Clip, update parameters from gradients, update moments and averaged weights: one pass.
struct Optimize {
  OptimizerRule rule;
  const StepState* step;
  size_t count;
  float* parameters;
  const float* gradients;
  float *moment1, *moment2, *average;
};

// average = decay * average + (1 - decay) * values, with the step's ema_decay
struct UpdateAverage {
  const StepState* step;
  size_t count;
  const float* values;
  float* average;
};

// Fills bn.scale and bn.shift from the running statistics: inference's constants.
struct UseRunningStatistics {
  BatchNorm bn;
};

// The list: EACH(op) for all of them but the last, which is LAST(op).
#define FER_OPS(EACH, LAST) \
  EACH(Advance)             \
  EACH(Gather)              \
  EACH(ConvolutionForward)  \
  EACH(SeparableForward)    \
  EACH(ShortcutForward)     \
  EACH(PoolAddForward)      \
  EACH(HeadForward)         \
  EACH(Soften)              \
  EACH(SoftmaxCrossEntropy) \
  EACH(HeadBackward)        \
  EACH(PoolAddBackward)     \
  EACH(ShortcutBackward)    \
  EACH(SeparableBackward)   \
  EACH(ConvolutionBackward) \
  EACH(Rectify)             \
  EACH(Optimize)            \
  EACH(UpdateAverage)       \
  LAST(UseRunningStatistics)

#define FER_EACH(op) op,
#define FER_LAST(op) op
using Op = std::variant<FER_OPS(FER_EACH, FER_LAST)>;
#undef FER_EACH
#undef FER_LAST

// Declares in a backend `void run(const AnOp&)`, once an op: each is defined in the op's own file.
#define FER_DECLARE_RUN(op) void run(const op&);
#define FER_RUNS_EVERY_OP FER_OPS(FER_DECLARE_RUN, FER_DECLARE_RUN)

}  // namespace fer
