// cuDNN's layers besides convolutions, NHWC, float32: batch norm, activation, pooling, sums, softmax. Descriptors are made once.
#pragma once
#include <map>
#include <string>
#include <tuple>

#include "backend.h"
#include "cuda/cudnn_convolution.h"

namespace fer::cuda {

// `n` square pictures of `channels`. They may lie in larger ones, of `within` a side, every `step` pixels.
struct CudnnTensor {
  int n, size, channels, within = 0, step = 1;
  auto operator<=>(const CudnnTensor&) const = default;
};

class CudnnLayers {
 public:
  explicit CudnnLayers(Cudnn& cudnn);
  ~CudnnLayers();
  CudnnLayers(const CudnnLayers&) = delete;
  CudnnLayers& operator=(const CudnnLayers&) = delete;

  // What all of the following are called for: the stream, and the op's name in messages.
  void begin(cudaStream_t stream, const char* op) { stream_ = stream, op_ = op; }

  void fill(const CudnnTensor& at, float* values, float with);
  // to = from + beta * to; `at` and `as`: how they lie.
  void copy(const CudnnTensor& as, const float* from, const CudnnTensor& at, float* to, float beta = 0);
  // x += one value a channel.
  void add_bias(const CudnnTensor& at, const float* bias, float* x);
  void add(const CudnnTensor& at, const float* from, float* x);
  // result += x * one value a channel.
  void add_scaled(const CudnnTensor& at, const float* x, const float* scale, float* result);

  // y = (z - mean) / sqrt(variance + epsilon) * scale + shift
  void normalise(const CudnnTensor& at, const float* z, const float* mean, const float* variance, const float* scale, const float* shift, float* y);
  // The batch's mean and inverse standard deviation, and the running statistics; y is the normalised z.
  void batch_norm(const CudnnTensor& at, const float* z, const BatchNorm& bn, float* y);
  // d_gamma, d_beta and dz of what reached its output.
  void batch_norm_backward(const CudnnTensor& at, const float* z, const float* g, const BatchNorm& bn, float* dz);
  void rectify(const CudnnTensor& at, float* x);
  // In place; y: the rectified values.
  void rectify_backward(const CudnnTensor& at, const float* y, float* g);

  // 3x3/2 without padding.
  void max_pool(const CudnnTensor& from, const CudnnTensor& to, const float* x, float* y);
  void max_pool_backward(const CudnnTensor& from, const CudnnTensor& to, const float* x, const float* y, const float* dy, float* dx);
  // Of all pixels.
  void average_pool(const CudnnTensor& from, const float* x, float* y);
  void average_pool_backward(const CudnnTensor& from, const float* x, const float* y, const float* dy, float* dx);
  void bias_gradient(const CudnnTensor& at, const float* dy, float* d_bias);
  // Logarithms of the softmax over the first `classes` of rows of `padded`.
  void log_softmax(int n, int classes, int padded, const float* logits, float* logarithms);

 private:
  enum class Pool { kMax, kAverage };
  void* tensor(const CudnnTensor& at);
  void* rows(int n, int classes, int padded);
  void* pooling(Pool pool, int window);
  template <class Make>
  void* descriptor(std::map<std::tuple<int, int, int, int, int>, void*>& known, const std::tuple<int, int, int, int, int>& key, const Make& make);
  void check(int status) { cudnn_.check(status, op_); }

  Cudnn& cudnn_;
  cudaStream_t stream_ = nullptr;
  std::string op_;
  std::map<std::tuple<int, int, int, int, int>, void*> tensors_, poolings_;
  void *relu_ = nullptr, *product_ = nullptr;
};

}  // namespace fer::cuda
