#include "cuda/cudnn_layers.h"

#include "cuda/cudnn_functions.h"

namespace fer::cuda {
namespace {

constexpr float kOne = 1, kZero = 0;

cudnnTensorDescriptor_t as_tensor(void* d) { return static_cast<cudnnTensorDescriptor_t>(d); }

}  // namespace

#define FER_HANDLE static_cast<cudnnHandle_t>(cudnn_.handle(stream_))

CudnnLayers::CudnnLayers(Cudnn& cudnn) : cudnn_(cudnn), op_("preparing cuDNN") {
  cudnnActivationDescriptor_t relu = nullptr;
  check(cudnn.call().CreateActivationDescriptor(&relu));
  relu_ = relu;
  check(cudnn.call().SetActivationDescriptor(relu, CUDNN_ACTIVATION_RELU, CUDNN_NOT_PROPAGATE_NAN, 0));
  cudnnOpTensorDescriptor_t product = nullptr;
  check(cudnn.call().CreateOpTensorDescriptor(&product));
  product_ = product;
  check(cudnn.call().SetOpTensorDescriptor(product, CUDNN_OP_TENSOR_MUL, CUDNN_DATA_FLOAT, CUDNN_NOT_PROPAGATE_NAN));
}

CudnnLayers::~CudnnLayers() {
  for (const auto& [key, d] : tensors_) cudnn_.call().DestroyTensorDescriptor(as_tensor(d));
  for (const auto& [key, d] : poolings_) cudnn_.call().DestroyPoolingDescriptor(static_cast<cudnnPoolingDescriptor_t>(d));
  cudnn_.call().DestroyActivationDescriptor(static_cast<cudnnActivationDescriptor_t>(relu_));
  cudnn_.call().DestroyOpTensorDescriptor(static_cast<cudnnOpTensorDescriptor_t>(product_));
}

template <class Make>
void* CudnnLayers::descriptor(std::map<std::tuple<int, int, int, int, int>, void*>& known, const std::tuple<int, int, int, int, int>& key,
                              const Make& make) {
  const auto [at, added] = known.try_emplace(key, nullptr);
  if (added) try {
      at->second = make();
    } catch (...) {
      known.erase(at);
      throw;
    }
  return at->second;
}

void* CudnnLayers::tensor(const CudnnTensor& t) {
  return descriptor(tensors_, {t.n, t.size, t.channels, t.within, t.step}, [&]() -> void* {
    cudnnTensorDescriptor_t d = nullptr;
    check(cudnn_.call().CreateTensorDescriptor(&d));
    const int side = t.within ? t.within : t.size, pixel = t.step * t.channels;
    if (t.within)
      check(cudnn_.call().SetTensor4dDescriptorEx(d, CUDNN_DATA_FLOAT, t.n, t.channels, t.size, t.size, side * side * t.channels, 1, side * pixel,
                                                  pixel));
    else check(cudnn_.call().SetTensor4dDescriptor(d, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, t.n, t.channels, t.size, t.size));
    return d;
  });
}

void* CudnnLayers::rows(int n, int classes, int padded) {
  return descriptor(tensors_, {n, 1, classes, padded, 0}, [&]() -> void* {
    cudnnTensorDescriptor_t d = nullptr;
    check(cudnn_.call().CreateTensorDescriptor(&d));
    check(cudnn_.call().SetTensor4dDescriptorEx(d, CUDNN_DATA_FLOAT, n, classes, 1, 1, padded, 1, padded, padded));
    return d;
  });
}

void* CudnnLayers::pooling(Pool pool, int window) {
  const bool max = pool == Pool::kMax;
  return descriptor(poolings_, {max, window, 0, 0, 0}, [&]() -> void* {
    cudnnPoolingDescriptor_t d = nullptr;
    check(cudnn_.call().CreatePoolingDescriptor(&d));
    const int stride = max ? 2 : 1;
    check(cudnn_.call().SetPooling2dDescriptor(d, max ? CUDNN_POOLING_MAX_DETERMINISTIC : CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING,
                                               CUDNN_NOT_PROPAGATE_NAN, window, window, 0, 0, stride, stride));
    return d;
  });
}

void CudnnLayers::fill(const CudnnTensor& at, float* values, float with) {
  check(cudnn_.call().SetTensor(FER_HANDLE, as_tensor(tensor(at)), values, &with));
}

void CudnnLayers::copy(const CudnnTensor& as, const float* from, const CudnnTensor& at, float* to, float beta) {
  check(cudnn_.call().TransformTensor(FER_HANDLE, &kOne, as_tensor(tensor(as)), from, &beta, as_tensor(tensor(at)), to));
}

void CudnnLayers::add_bias(const CudnnTensor& at, const float* bias, float* x) {
  check(cudnn_.call().AddTensor(FER_HANDLE, &kOne, as_tensor(tensor({1, 1, at.channels})), bias, &kOne, as_tensor(tensor(at)), x));
}

void CudnnLayers::add(const CudnnTensor& at, const float* from, float* x) {
  check(cudnn_.call().AddTensor(FER_HANDLE, &kOne, as_tensor(tensor(at)), from, &kOne, as_tensor(tensor(at)), x));
}

void CudnnLayers::add_scaled(const CudnnTensor& at, const float* x, const float* scale, float* result) {
  auto* d = as_tensor(tensor(at));
  check(cudnn_.call().OpTensor(FER_HANDLE, static_cast<cudnnOpTensorDescriptor_t>(product_), &kOne, d, x, &kOne,
                               as_tensor(tensor({1, 1, at.channels})), scale, &kOne, d, result));
}

void CudnnLayers::normalise(const CudnnTensor& at, const float* z, const float* mean, const float* variance, const float* scale, const float* shift,
                            float* y) {
  auto* d = as_tensor(tensor(at));
  check(cudnn_.call().BatchNormalizationForwardInference(FER_HANDLE, CUDNN_BATCHNORM_SPATIAL, &kOne, &kZero, d, z, d, y,
                                                         as_tensor(tensor({1, 1, at.channels})), scale, shift, mean, variance, kBatchNormEpsilon));
}

void CudnnLayers::batch_norm(const CudnnTensor& at, const float* z, const BatchNorm& bn, float* y) {
  auto* d = as_tensor(tensor(at));
  // Not SPATIAL_PERSISTENT: its integer atomics may overflow.
  check(cudnn_.call().BatchNormalizationForwardTraining(FER_HANDLE, CUDNN_BATCHNORM_SPATIAL, &kOne, &kZero, d, z, d, y,
                                                        as_tensor(tensor({1, 1, at.channels})), bn.gamma, bn.beta, kBatchNormMomentum,
                                                        bn.running_mean, bn.running_var, kBatchNormEpsilon, bn.mean, bn.inv_std));
}

void CudnnLayers::batch_norm_backward(const CudnnTensor& at, const float* z, const float* g, const BatchNorm& bn, float* dz) {
  auto* d = as_tensor(tensor(at));
  check(cudnn_.call().BatchNormalizationBackward(FER_HANDLE, CUDNN_BATCHNORM_SPATIAL, &kOne, &kZero, &kOne, &kZero, d, z, d, g, d, dz,
                                                 as_tensor(tensor({1, 1, at.channels})), bn.gamma, bn.d_gamma, bn.d_beta, kBatchNormEpsilon, bn.mean,
                                                 bn.inv_std));
}

void CudnnLayers::rectify(const CudnnTensor& at, float* x) {
  auto* d = as_tensor(tensor(at));
  check(cudnn_.call().ActivationForward(FER_HANDLE, static_cast<cudnnActivationDescriptor_t>(relu_), &kOne, d, x, &kZero, d, x));
}

void CudnnLayers::rectify_backward(const CudnnTensor& at, const float* y, float* g) {
  auto* d = as_tensor(tensor(at));
  check(cudnn_.call().ActivationBackward(FER_HANDLE, static_cast<cudnnActivationDescriptor_t>(relu_), &kOne, d, y, d, g, d, y, &kZero, d, g));
}

void CudnnLayers::max_pool(const CudnnTensor& from, const CudnnTensor& to, const float* x, float* y) {
  check(cudnn_.call().PoolingForward(FER_HANDLE, static_cast<cudnnPoolingDescriptor_t>(pooling(Pool::kMax, 3)), &kOne, as_tensor(tensor(from)), x,
                                     &kZero, as_tensor(tensor(to)), y));
}

void CudnnLayers::max_pool_backward(const CudnnTensor& from, const CudnnTensor& to, const float* x, const float* y, const float* dy, float* dx) {
  auto *d = as_tensor(tensor(from)), *pooled = as_tensor(tensor(to));
  check(cudnn_.call().PoolingBackward(FER_HANDLE, static_cast<cudnnPoolingDescriptor_t>(pooling(Pool::kMax, 3)), &kOne, pooled, y, pooled, dy, d, x,
                                      &kZero, d, dx));
}

void CudnnLayers::average_pool(const CudnnTensor& from, const float* x, float* y) {
  check(cudnn_.call().PoolingForward(FER_HANDLE, static_cast<cudnnPoolingDescriptor_t>(pooling(Pool::kAverage, from.size)), &kOne,
                                     as_tensor(tensor(from)), x, &kZero, as_tensor(tensor({from.n, 1, from.channels})), y));
}

void CudnnLayers::average_pool_backward(const CudnnTensor& from, const float* x, const float* y, const float* dy, float* dx) {
  auto *d = as_tensor(tensor(from)), *mean = as_tensor(tensor({from.n, 1, from.channels}));
  check(cudnn_.call().PoolingBackward(FER_HANDLE, static_cast<cudnnPoolingDescriptor_t>(pooling(Pool::kAverage, from.size)), &kOne, mean, y, mean, dy,
                                      d, x, &kZero, d, dx));
}

void CudnnLayers::bias_gradient(const CudnnTensor& at, const float* dy, float* d_bias) {
  check(cudnn_.call().ConvolutionBackwardBias(FER_HANDLE, &kOne, as_tensor(tensor(at)), dy, &kZero, as_tensor(tensor({1, 1, at.channels})), d_bias));
}

void CudnnLayers::log_softmax(int n, int classes, int padded, const float* logits, float* logarithms) {
  auto* d = as_tensor(rows(n, classes, padded));
  check(cudnn_.call().SoftmaxForward(FER_HANDLE, CUDNN_SOFTMAX_LOG, CUDNN_SOFTMAX_MODE_INSTANCE, &kOne, d, logits, &kZero, d, logarithms));
}

#undef FER_HANDLE

}  // namespace fer::cuda
