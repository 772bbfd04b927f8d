#include "cuda/cudnn_lowering.h"
#include "cuda/loss.h"
#include "cuda/passes.cuh"

namespace fer::cuda {
namespace {

// What readers of a normalised value apply.
__global__ void __launch_bounds__(kThreads) set_affine(BatchNorm bn) {
  const int c = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (c >= bn.channels) return;
  bn.scale[c] = bn.gamma[c] * bn.inv_std[c];
  bn.shift[c] = bn.beta[c] - bn.mean[c] * bn.scale[c];
}

// What readers of its gradient apply, from the sums that cuDNN has left as d_gamma and d_beta.
__global__ void __launch_bounds__(kThreads) set_gradient_map(BatchNorm bn, float count) {
  const int c = static_cast<int>(blockIdx.x * kThreads + threadIdx.x);
  if (c < bn.channels) finish_gradients(bn, c, count, bn.d_beta[c], bn.d_gamma[c]);
}

size_t floats_of(const CudnnTensor& t) { return static_cast<size_t>(t.n) * t.size * t.size * t.channels; }
CudnnTensor input(const Shape& s) { return {s.n, s.size, s.in_channels}; }
int halved(int size) { return (size + 1) / 2; }
// The modules' 1x1 convolutions of stride 2; backwards, of stride 1 over the even pixels.
CudnnShape strided(const Shape& s) { return {s.n, s.size, s.in_channels, s.out_channels, 1, 0, 2, 1}; }
CudnnShape stem(const Shape& s) { return {s.n, s.size, s.in_channels, s.out_channels, 3, 0, 1, 1}; }
CudnnShape depthwise_of(const Shape& s) { return {s.n, s.size, s.in_channels, s.in_channels, 3, 1, 1, s.in_channels}; }
CudnnShape pointwise_of(const Shape& s) { return {s.n, s.size, s.in_channels, s.out_channels, 1, 0, 1, 1}; }
CudnnShape head_of(const Shape& s) { return {s.n, s.size, s.in_channels, s.out_channels, 3, 1, 1, 1}; }

}  // namespace

void CudnnLowering::begin(const char* op) {
  op_ = op;
  layers_.begin(work_.stream(), op);
}

void CudnnLowering::convolve(CudnnPass pass, const CudnnShape& shape, const float* first, const float* second, float* result) {
  auto run = [&](const CudnnPlan& plan) {
    float* scratch = plan.workspace ? work_.floats(Slot::kCudnn, plan.workspace / sizeof(float) + 1) : nullptr;
    work_.cudnn()->run(work_.stream(), op_, pass, shape, plan, first, second, result, scratch);
  };
  if (const auto known = plans_.find({pass, shape}); known != plans_.end()) return run(known->second);
  std::string problems;
  for (const CudnnPlan& plan : work_.cudnn()->plans(pass, shape)) {
    try {
      run(plan);
      plans_[{pass, shape}] = plan;
      return;
    } catch (const CudnnFailure& failure) {
      if (!failure.of_shape()) throw;
      problems += std::string(problems.empty() ? ": " : "; ") + "algorithm " + std::to_string(plan.algorithm) + ": " + failure.what();
    }
  }
  throw Error("ERR_FER_CUDA", std::string("cuDNN has no way to do the ") + op_ + problems +
                                  ". FER_CUDA_KERNELS=measured takes the package's own kernels where it has none");
}

// Weights [rows][columns] as cuDNN wants them, [columns][rows].
const float* CudnnLowering::turned(const float* weight, int rows, int columns) {
  float* out = work_.floats(Slot::kWeights, static_cast<size_t>(rows) * columns);
  turn(work_, op_, weight, rows, columns, out);
  return out;
}

void CudnnLowering::weight_gradient(const CudnnShape& shape, const float* x, const float* dy, int rows, int columns, float* d_weight) {
  float* found = work_.floats(Slot::kWeightGradient, static_cast<size_t>(rows) * columns);
  convolve(CudnnPass::kWeightGradient, shape, x, dy, found);
  turn(work_, op_, found, columns, rows, d_weight);
}

// Batch norm's inference with a mean of 0 and a variance of 1, epsilon included.
void CudnnLowering::affine(const CudnnTensor& at, const float* z, const float* scale, const float* shift, float* y) {
  float* constants = work_.floats(Slot::kConstants, 2 * static_cast<size_t>(std::max(constants_, at.channels)));
  if (constants_ < at.channels) {
    constants_ = at.channels;
    layers_.fill({1, 1, constants_}, constants, 0.f);
    layers_.fill({1, 1, constants_}, constants + constants_, 1.f - kBatchNormEpsilon);
  }
  layers_.normalise(at, z, constants, constants + constants_, scale, shift, y);
}

const float* CudnnLowering::seen(const CudnnTensor& at, const View& view) {
  if (!view.bn) return view.z;
  float* x = work_.floats(Slot::kInput, floats_of(at));
  affine(at, view.z, view.bn->scale, view.bn->shift, x);
  layers_.rectify(at, x);
  return x;
}

void CudnnLowering::measure(const CudnnTensor& at, const float* z, const BatchNorm& bn) {
  layers_.batch_norm(at, z, bn, work_.floats(Slot::kUnused, floats_of(at)));
  launch(op_, set_affine, dim3(blocks_for(bn.channels, kThreads)), dim3(kThreads), work_.stream(), bn);
}

const float* CudnnLowering::gradient(const CudnnTensor& at, const float* g, const float* z, const BatchNorm& bn) {
  float* dz = work_.floats(Slot::kGradient, floats_of(at));
  affine(at, z, bn.b, bn.c, dz);
  layers_.add_scaled(at, g, bn.a, dz);
  return dz;
}

// TensorFlow's 'same' puts a row and a column before pictures of odd sizes, and one behind all of them.
CudnnTensor CudnnLowering::padded(const Shape& s) const { return {s.n, s.size + 1 + s.size % 2, s.in_channels}; }

const float* CudnnLowering::pooled(const Shape& s, const float* z, const BatchNorm& bn) {
  const CudnnTensor whole = padded(s), inner{s.n, s.size, s.in_channels, whole.size}, maxima{s.n, halved(s.size), s.in_channels};
  const int before = s.size % 2 * (whole.size + 1) * s.in_channels;
  float *x = work_.floats(Slot::kPadded, floats_of(whole)), *normalised = work_.floats(Slot::kUnused, floats_of(input(s)));
  affine(input(s), z, bn.scale, bn.shift, normalised);
  layers_.fill(whole, x, -INFINITY);
  layers_.copy(input(s), normalised, inner, x + before);
  float* y = work_.floats(Slot::kPooled, floats_of(maxima));
  layers_.max_pool(whole, maxima, x, y);
  return y;
}

const float* CudnnLowering::unpooled(const Shape& s, const float* z, const BatchNorm& bn, const float* g) {
  const CudnnTensor whole = padded(s), inner{s.n, s.size, s.in_channels, whole.size}, maxima{s.n, halved(s.size), s.in_channels};
  const int before = s.size % 2 * (whole.size + 1) * s.in_channels;
  const float* y = pooled(s, z, bn);
  float *dx = work_.floats(Slot::kPaddedGradient, floats_of(whole)), *dense = work_.floats(Slot::kUnpooled, floats_of(input(s)));
  layers_.max_pool_backward(whole, maxima, work_.floats(Slot::kPadded, floats_of(whole)), y, g, dx);
  layers_.copy(inner, dx + before, input(s), dense);
  return dense;
}

void CudnnLowering::leave_gradients(const CudnnTensor& at, const float* z, const float* g, const BatchNorm& bn) {
  layers_.batch_norm_backward(at, z, g, bn, work_.floats(Slot::kUnused, floats_of(at)));
  launch(op_, set_gradient_map, dim3(blocks_for(bn.channels, kThreads)), dim3(kThreads), work_.stream(), bn,
         static_cast<float>(at.n * at.size * at.size));
}

void CudnnLowering::finish(const CudnnTensor& at, const View& in, const float* x, float* dx) {
  if (!in.bn) return;
  layers_.rectify_backward(at, x, dx);
  leave_gradients(at, in.z, dx, *in.bn);
}

void CudnnLowering::run(const ConvolutionForward& op) {
  const Shape& s = op.shape;
  begin("convolution");
  const float* x = seen(input(s), op.in);
  convolve(CudnnPass::kForward, stem(s), x, turned(op.weight, 9 * s.in_channels, s.out_channels), op.z);
  if (op.training) measure({s.n, s.size - 2, s.out_channels}, op.z, *op.bn);
}

void CudnnLowering::run(const ConvolutionBackward& op) {
  const Shape& s = op.shape;
  begin("convolution's gradients");
  const float *x = seen(input(s), op.in), *dz = gradient({s.n, s.size - 2, s.out_channels}, op.up.g, op.up.z, *op.up.bn);
  weight_gradient(stem(s), x, dz, 9 * s.in_channels, s.out_channels, op.d_weight);
  if (!op.dx) return;
  convolve(CudnnPass::kInputGradient, stem(s), dz, turned(op.weight, 9 * s.in_channels, s.out_channels), op.dx);
  finish(input(s), op.in, x, op.dx);
}

void CudnnLowering::run(const SeparableForward& op) {
  const Shape& s = op.shape;
  begin("depthwise convolution");
  float* d = op.d ? op.d : work_.floats(Slot::kDepthwise, floats_of(input(s)));
  const float* x = seen(input(s), op.in);
  convolve(CudnnPass::kForward, depthwise_of(s), x, turned(op.depthwise, 9, s.in_channels), d);
  begin("pointwise convolution");
  convolve(CudnnPass::kForward, pointwise_of(s), d, turned(op.pointwise, s.in_channels, s.out_channels), op.z);
  if (op.training) measure({s.n, s.size, s.out_channels}, op.z, *op.bn);
}

void CudnnLowering::run(const SeparableBackward& op) {
  const Shape& s = op.shape;
  const CudnnTensor out{s.n, s.size, s.out_channels};
  begin("pointwise convolution's gradients");
  Shape main = s;
  main.in_channels = s.out_channels;
  const float* g = op.up.argmax ? unpooled(main, op.up.z, *op.up.bn, op.up.g) : op.up.g;
  const float* dz = gradient(out, g, op.up.z, *op.up.bn);
  weight_gradient(pointwise_of(s), op.d, dz, s.in_channels, s.out_channels, op.d_pointwise);
  float* dd = work_.floats(Slot::kDepthwise, floats_of(input(s)));
  convolve(CudnnPass::kInputGradient, pointwise_of(s), dz, turned(op.pointwise, s.in_channels, s.out_channels), dd);
  begin("depthwise convolution's gradients");
  const float* x = seen(input(s), op.in);
  weight_gradient(depthwise_of(s), x, dd, 9, s.in_channels, op.d_depthwise);
  convolve(CudnnPass::kInputGradient, depthwise_of(s), dd, turned(op.depthwise, 9, s.in_channels), op.dx);
  const CudnnTensor even{s.n, halved(s.size), s.in_channels, s.size, 2};
  if (op.shortcut_dx) layers_.copy({s.n, halved(s.size), s.in_channels}, op.shortcut_dx, even, op.dx, 1.f);
  finish(input(s), op.in, x, op.dx);
}

void CudnnLowering::run(const ShortcutForward& op) {
  const Shape& s = op.shape;
  begin("shortcut convolution");
  convolve(CudnnPass::kForward, strided(s), seen(input(s), op.in), turned(op.weight, s.in_channels, s.out_channels), op.z);
  if (op.training) measure({s.n, halved(s.size), s.out_channels}, op.z, *op.bn);
}

void CudnnLowering::run(const ShortcutBackward& op) {
  const Shape& s = op.shape;
  begin("shortcut's gradients");
  const float *x = seen(input(s), op.in), *dz = gradient({s.n, halved(s.size), s.out_channels}, op.up.g, op.up.z, *op.up.bn);
  weight_gradient(strided(s), x, dz, s.in_channels, s.out_channels, op.d_weight);
  const CudnnShape even{s.n, halved(s.size), s.in_channels, s.out_channels, 1, 0, 1, 1};
  convolve(CudnnPass::kInputGradient, even, dz, turned(op.weight, s.in_channels, s.out_channels), op.dx);
}

void CudnnLowering::run(const PoolAddForward& op) {
  const Shape& s = op.shape;
  const CudnnTensor out{s.n, halved(s.size), s.in_channels};
  begin("pooling");
  affine(out, op.shortcut_z, op.shortcut_bn->scale, op.shortcut_bn->shift, op.out);
  layers_.add(out, pooled(s, op.main_z, *op.main_bn), op.out);
}

void CudnnLowering::run(const PoolAddBackward& op) {
  const Shape& s = op.shape;
  begin("pooling's backward pass");
  leave_gradients({s.n, halved(s.size), s.in_channels}, op.shortcut_z, op.g, *op.shortcut_bn);
  const float* g = unpooled(s, op.main_z, *op.main_bn, op.g);
  leave_gradients(input(s), op.main_z, g, *op.main_bn);
}

void CudnnLowering::run(const HeadForward& op) {
  const Shape& s = op.shape;
  const CudnnTensor out{s.n, s.size, s.out_channels};
  begin("head");
  float* y = work_.floats(Slot::kUnused, floats_of(out));
  convolve(CudnnPass::kForward, head_of(s), op.x, turned(op.weight, 9 * s.in_channels, s.out_channels), y);
  layers_.add_bias(out, op.bias, y);
  layers_.average_pool(out, y, op.logits);
}

void CudnnLowering::run(const HeadBackward& op) {
  const Shape& s = op.shape;
  const CudnnTensor out{s.n, s.size, s.out_channels};
  begin("head's gradients");
  float *dy = work_.floats(Slot::kGradient, floats_of(out)), *unread = work_.floats(Slot::kUnused, floats_of(out));
  layers_.average_pool_backward(out, unread, op.d_logits, op.d_logits, dy);  // the mean's gradient asks for no values
  layers_.bias_gradient(out, dy, op.d_bias);
  weight_gradient(head_of(s), op.x, dy, 9 * s.in_channels, s.out_channels, op.d_weight);
  convolve(CudnnPass::kInputGradient, head_of(s), dy, turned(op.weight, 9 * s.in_channels, s.out_channels), op.dx);
}

void CudnnLowering::run(const SoftmaxCrossEntropy& op) {
  begin("softmax cross-entropy");
  float* logarithms = work_.floats(Slot::kUnused, static_cast<size_t>(op.batch.n) * op.padded);
  layers_.log_softmax(op.batch.n, op.classes, op.padded, op.logits, logarithms);
  run_cross_entropy(work_, op, logarithms);
}

}  // namespace fer::cuda
