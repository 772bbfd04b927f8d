// The second lowering of the network's ops: FER_CUDA_KERNELS=cudnn. Each op is the layers that it fuses, one after another, every one of
// them by cuDNN: convolutions, batch norm, activation, pooling, sums, softmax. An op keeps the contract of ops.h, so that the passes,
// the optimiser and explanations are the same; own kernels only turn weights round, fill in what readers of a batch norm need (scale
// and shift; a, b and c), and make the loss of the softmax. There is no other way: what cuDNN does not do is an error.
#pragma once
#include "cuda/cudnn_layers.h"
#include "cuda/workspace.h"

namespace fer::cuda {

class CudnnLowering {
 public:
  explicit CudnnLowering(Workspace& work) : work_(work), layers_(*work.cudnn()) {}

  void run(const ConvolutionForward& op);
  void run(const ConvolutionBackward& op);
  void run(const SeparableForward& op);
  void run(const SeparableBackward& op);
  void run(const ShortcutForward& op);
  void run(const ShortcutBackward& op);
  void run(const PoolAddForward& op);
  void run(const PoolAddBackward& op);
  void run(const HeadForward& op);
  void run(const HeadBackward& op);
  void run(const SoftmaxCrossEntropy& op);

 private:
  void begin(const char* op);
  // Tries the plans of a shape in order, and remembers the one that ran.
  void convolve(CudnnPass pass, const CudnnShape& shape, const float* first, const float* second, float* result);
  const float* turned(const float* weight, int rows, int columns);
  // The weight gradient of a convolution from [in][out] memory, laid out as the op has it.
  void weight_gradient(const CudnnShape& shape, const float* x, const float* dy, int rows, int columns, float* d_weight);

  void affine(const CudnnTensor& at, const float* z, const float* scale, const float* shift, float* y);
  const float* seen(const CudnnTensor& at, const View& view);
  void measure(const CudnnTensor& at, const float* z, const BatchNorm& bn);
  // dz = a g + b z + c
  const float* gradient(const CudnnTensor& at, const float* g, const float* z, const BatchNorm& bn);
  // The main path as pooling sees it, its maxima, and the gradient that reaches it from theirs.
  CudnnTensor padded(const Shape& s) const;
  const float* pooled(const Shape& s, const float* z, const BatchNorm& bn);
  const float* unpooled(const Shape& s, const float* z, const BatchNorm& bn, const float* g);
  void leave_gradients(const CudnnTensor& at, const float* z, const float* g, const BatchNorm& bn);
  // Masks dx by the ReLU of a normalised input, `x` as it is seen, and leaves its batch norm's gradients.
  void finish(const CudnnTensor& at, const View& in, const float* x, float* dx);

  Workspace& work_;
  CudnnLayers layers_;
  const char* op_ = "";
  std::map<std::pair<CudnnPass, CudnnShape>, CudnnPlan> plans_;
  int constants_ = 0;  // channels whose zeros and ones are filled in
};

}  // namespace fer::cuda
