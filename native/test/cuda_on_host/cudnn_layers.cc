// cuDNN's layers besides convolutions, in double precision by plain loops. Every call checks what the real library would, and more
// strictly: tensors packed but where strides are what the call is for, sizes that agree, alpha 1, beta 0 or 1 as documented.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "cudnn_state.h"

struct cudnnActivationStruct {
  bool relu = false;
};
struct cudnnPoolingStruct {
  cudnnPoolingMode_t mode;
  int window = 0, stride = 0;
};
struct cudnnOpTensorStruct {
  bool product = false;
};

namespace cuda_on_host {
namespace {

float number(const void* p) {
  float v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
bool are(const void* alpha, float a, const void* beta, float b) { return number(alpha) == a && number(beta) == b; }
const float* floats(const void* p) { return static_cast<const float*>(p); }
float* floats(void* p) { return static_cast<float*>(p); }

size_t at(const cudnnTensorStruct& t, int n, int c, int h, int w) {
  return static_cast<size_t>(n) * t.strides[0] + static_cast<size_t>(c) * t.strides[1] + static_cast<size_t>(h) * t.strides[2] +
         static_cast<size_t>(w) * t.strides[3];
}
size_t count(const cudnnTensorStruct& t) { return static_cast<size_t>(t.n) * t.c * t.h * t.w; }
bool same(const cudnnTensorStruct& a, const cudnnTensorStruct& b) { return a.n == b.n && a.c == b.c && a.h == b.h && a.w == b.w; }
bool both_packed(const cudnnTensorStruct& a, const cudnnTensorStruct& b) { return same(a, b) && a.packed() && b.packed(); }
bool a_channel(const cudnnTensorStruct& t, int channels) { return t.n == 1 && t.c == channels && t.h == 1 && t.w == 1 && t.packed(); }

template <class Visit>
void each(const cudnnTensorStruct& t, const Visit& visit) {
  for (int n = 0; n < t.n; ++n)
    for (int h = 0; h < t.h; ++h)
      for (int w = 0; w < t.w; ++w)
        for (int c = 0; c < t.c; ++c) visit(n, c, h, w);
}

// A call that is right is done on the handle's stream.
cudnnStatus_t computed(const char* name, cudnnHandle_t handle, bool right, std::function<void()> work) {
  if (cudnn().calls) cudnn().calls->push_back(name);
  if (const cudnnStatus_t status = asked(name); status != CUDNN_STATUS_SUCCESS) return status;
  if (!handle || !right) return CUDNN_STATUS_BAD_PARAM;
  handle->used = true;
  submit(handle->stream, std::move(work));
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace
}  // namespace cuda_on_host

using namespace cuda_on_host;

cudnnStatus_t cudnnSetTensor4dDescriptorEx(cudnnTensorDescriptor_t d, cudnnDataType_t type, int n, int c, int h, int w, int n_stride, int c_stride,
                                           int h_stride, int w_stride) {
  const int row = w_stride * (w - 1) + c, picture = h_stride * (h - 1) + row;  // what is spanned
  if (type != CUDNN_DATA_FLOAT || n < 1 || c < 1 || h < 1 || w < 1 || c_stride != 1 || w_stride < c || h_stride < row || n_stride < picture)
    return CUDNN_STATUS_BAD_PARAM;
  return *d = {n, c, h, w, {n_stride, c_stride, h_stride, w_stride}}, CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* d) { return *d = new cudnnActivationStruct, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t d, cudnnActivationMode_t mode, cudnnNanPropagation_t, double) {
  return d->relu = mode == CUDNN_ACTIVATION_RELU, d->relu ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t d) { return delete d, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnActivationForward(cudnnHandle_t handle, cudnnActivationDescriptor_t, const void* alpha, cudnnTensorDescriptor_t xd, const void* x,
                                     const void* beta, cudnnTensorDescriptor_t yd, void* y) {
  const size_t n = count(*xd);
  return computed("ActivationForward", handle, both_packed(*xd, *yd) && are(alpha, 1, beta, 0) && aligned(x) && aligned(y), [=] {
    for (size_t i = 0; i < n; ++i) floats(y)[i] = std::max(floats(x)[i], 0.f);
  });
}
cudnnStatus_t cudnnActivationBackward(cudnnHandle_t handle, cudnnActivationDescriptor_t, const void* alpha, cudnnTensorDescriptor_t yd, const void* y,
                                      cudnnTensorDescriptor_t dyd, const void* dy, cudnnTensorDescriptor_t xd, const void* x, const void* beta,
                                      cudnnTensorDescriptor_t dxd, void* dx) {
  const size_t n = count(*xd);
  const bool right = both_packed(*xd, *yd) && both_packed(*dyd, *dxd) && same(*xd, *dxd) && are(alpha, 1, beta, 0) && aligned(x) && aligned(dx);
  return computed("ActivationBackward", handle, right, [=] {
    for (size_t i = 0; i < n; ++i) floats(dx)[i] = floats(y)[i] > 0 ? floats(dy)[i] : 0.f;
  });
}

cudnnStatus_t cudnnBatchNormalizationForwardTraining(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha, const void* beta,
                                                     cudnnTensorDescriptor_t xd, const void* x, cudnnTensorDescriptor_t yd, void* y,
                                                     cudnnTensorDescriptor_t bd, const void* scale, const void* bias, double factor,
                                                     void* running_mean, void* running_variance, double epsilon, void* mean, void* inv_std) {
  const cudnnTensorStruct t = *xd;
  const bool right = mode == CUDNN_BATCHNORM_SPATIAL && both_packed(t, *yd) && a_channel(*bd, t.c) && are(alpha, 1, beta, 0) && epsilon >= 1e-5;
  return computed("BatchNormalizationForwardTraining", handle, right, [=] {
    const auto rows = static_cast<double>(count(t) / t.c);
    for (int c = 0; c < t.c; ++c) {
      double sum = 0, square = 0;
      for (size_t i = c; i < count(t); i += t.c) sum += floats(x)[i];
      for (size_t i = c; i < count(t); i += t.c) square += std::pow(floats(x)[i] - sum / rows, 2);
      const double inverse = 1 / std::sqrt(square / rows + epsilon);
      for (size_t i = c; i < count(t); i += t.c)
        floats(y)[i] = static_cast<float>((floats(x)[i] - sum / rows) * inverse * floats(scale)[c] + floats(bias)[c]);
      floats(mean)[c] = static_cast<float>(sum / rows);
      floats(inv_std)[c] = static_cast<float>(inverse);
      auto move = [&](float& running, double to) { running = static_cast<float>((1 - factor) * running + factor * to); };
      move(floats(running_mean)[c], sum / rows);
      move(floats(running_variance)[c], rows > 1 ? square / (rows - 1) : 0);
    }
  });
}
cudnnStatus_t cudnnBatchNormalizationForwardInference(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha, const void* beta,
                                                      cudnnTensorDescriptor_t xd, const void* x, cudnnTensorDescriptor_t yd, void* y,
                                                      cudnnTensorDescriptor_t bd, const void* scale, const void* bias, const void* mean,
                                                      const void* variance, double epsilon) {
  const cudnnTensorStruct t = *xd;
  const bool right = mode == CUDNN_BATCHNORM_SPATIAL && both_packed(t, *yd) && a_channel(*bd, t.c) && are(alpha, 1, beta, 0) && epsilon >= 1e-5;
  return computed("BatchNormalizationForwardInference", handle, right, [=] {
    for (size_t i = 0; i < count(t); ++i) {
      const size_t c = i % t.c;
      floats(y)[i] = static_cast<float>((floats(x)[i] - double{floats(mean)[c]}) / std::sqrt(floats(variance)[c] + epsilon) * floats(scale)[c] +
                                        floats(bias)[c]);
    }
  });
}
cudnnStatus_t cudnnBatchNormalizationBackward(cudnnHandle_t handle, cudnnBatchNormMode_t mode, const void* alpha_data, const void* beta_data,
                                              const void* alpha_parameters, const void* beta_parameters, cudnnTensorDescriptor_t xd, const void* x,
                                              cudnnTensorDescriptor_t dyd, const void* dy, cudnnTensorDescriptor_t dxd, void* dx,
                                              cudnnTensorDescriptor_t bd, const void* scale, void* d_scale, void* d_bias, double epsilon,
                                              const void* mean, const void* inv_std) {
  const cudnnTensorStruct t = *xd;
  const bool right = mode == CUDNN_BATCHNORM_SPATIAL && both_packed(t, *dyd) && both_packed(t, *dxd) && a_channel(*bd, t.c) && epsilon >= 1e-5 &&
                     are(alpha_data, 1, beta_data, 0) && are(alpha_parameters, 1, beta_parameters, 0) && dx != dy;
  return computed("BatchNormalizationBackward", handle, right, [=] {
    const auto rows = static_cast<double>(count(t) / t.c);
    for (int c = 0; c < t.c; ++c) {
      double sum = 0, sum_hat = 0;
      auto hat = [&](size_t i) { return (double{floats(x)[i]} - floats(mean)[c]) * floats(inv_std)[c]; };
      for (size_t i = c; i < count(t); i += t.c) sum += floats(dy)[i], sum_hat += floats(dy)[i] * hat(i);
      for (size_t i = c; i < count(t); i += t.c)
        floats(dx)[i] = static_cast<float>(double{floats(scale)[c]} * floats(inv_std)[c] * (floats(dy)[i] - sum / rows - hat(i) * sum_hat / rows));
      floats(d_scale)[c] = static_cast<float>(sum_hat);
      floats(d_bias)[c] = static_cast<float>(sum);
    }
  });
}

cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* d) { return *d = new cudnnPoolingStruct, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t d, cudnnPoolingMode_t mode, cudnnNanPropagation_t, int window_h, int window_w,
                                          int pad_h, int pad_w, int stride_h, int stride_w) {
  const bool right = window_h == window_w && window_h > 0 && pad_h == 0 && pad_w == 0 && stride_h == stride_w && stride_h > 0 &&
                     (mode == CUDNN_POOLING_MAX_DETERMINISTIC || mode == CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING);
  return *d = {mode, window_h, stride_h}, right ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t d) { return delete d, CUDNN_STATUS_SUCCESS; }

namespace {

bool pools(const cudnnPoolingStruct& p, const cudnnTensorStruct& x, const cudnnTensorStruct& y) {
  auto out = [&](int in) { return (in - p.window) / p.stride + 1; };
  return x.packed() && y.packed() && x.n == y.n && x.c == y.c && x.h >= p.window && x.w >= p.window && y.h == out(x.h) && y.w == out(x.w);
}

}  // namespace

cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, cudnnPoolingDescriptor_t p, const void* alpha, cudnnTensorDescriptor_t xd, const void* x,
                                  const void* beta, cudnnTensorDescriptor_t yd, void* y) {
  const cudnnPoolingStruct pool = *p;
  const cudnnTensorStruct from = *xd, to = *yd;
  return computed("PoolingForward", handle, pools(pool, from, to) && are(alpha, 1, beta, 0), [=] {
    each(to, [&](int n, int c, int h, int w) {
      double best = -INFINITY, sum = 0;
      for (int r = 0; r < pool.window; ++r)
        for (int s = 0; s < pool.window; ++s) {
          const float v = floats(x)[at(from, n, c, h * pool.stride + r, w * pool.stride + s)];
          best = std::max<double>(best, v);
          sum += v;
        }
      const bool max = pool.mode == CUDNN_POOLING_MAX_DETERMINISTIC;
      floats(y)[at(to, n, c, h, w)] = static_cast<float>(max ? best : sum / (pool.window * pool.window));
    });
  });
}
cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, cudnnPoolingDescriptor_t p, const void* alpha, cudnnTensorDescriptor_t yd, const void* y,
                                   cudnnTensorDescriptor_t dyd, const void* dy, cudnnTensorDescriptor_t xd, const void* x, const void* beta,
                                   cudnnTensorDescriptor_t dxd, void* dx) {
  const cudnnPoolingStruct pool = *p;
  const cudnnTensorStruct from = *xd, to = *yd;
  const bool right = pools(pool, from, to) && both_packed(*dyd, to) && both_packed(*dxd, from) && are(alpha, 1, beta, 0);
  return computed("PoolingBackward", handle, right, [=] {
    std::vector<double> sums(count(from));
    each(to, [&](int n, int c, int h, int w) {
      const size_t out = at(to, n, c, h, w);
      bool found = false;
      for (int r = 0; r < pool.window; ++r)
        for (int s = 0; s < pool.window; ++s) {
          const size_t in = at(from, n, c, h * pool.stride + r, w * pool.stride + s);
          if (pool.mode != CUDNN_POOLING_MAX_DETERMINISTIC) sums[in] += double{floats(dy)[out]} / (pool.window * pool.window);
          else if (!found && floats(x)[in] == floats(y)[out]) sums[in] += floats(dy)[out], found = true;
        }
    });
    for (size_t i = 0; i < sums.size(); ++i) floats(dx)[i] = static_cast<float>(sums[i]);
  });
}

cudnnStatus_t cudnnCreateOpTensorDescriptor(cudnnOpTensorDescriptor_t* d) { return *d = new cudnnOpTensorStruct, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetOpTensorDescriptor(cudnnOpTensorDescriptor_t d, cudnnOpTensorOp_t op, cudnnDataType_t type, cudnnNanPropagation_t) {
  d->product = op == CUDNN_OP_TENSOR_MUL;
  return d->product && type == CUDNN_DATA_FLOAT ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
cudnnStatus_t cudnnDestroyOpTensorDescriptor(cudnnOpTensorDescriptor_t d) { return delete d, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnOpTensor(cudnnHandle_t handle, cudnnOpTensorDescriptor_t d, const void* alpha1, cudnnTensorDescriptor_t ad, const void* a,
                            const void* alpha2, cudnnTensorDescriptor_t bd, const void* b, const void* beta, cudnnTensorDescriptor_t cd, void* c) {
  const cudnnTensorStruct t = *cd;
  const bool right = d->product && both_packed(*ad, t) && a_channel(*bd, t.c) && are(alpha1, 1, beta, 1) && number(alpha2) == 1 && c != b;
  return computed("OpTensor", handle, right, [=] {
    for (size_t i = 0; i < count(t); ++i) floats(c)[i] = static_cast<float>(double{floats(a)[i]} * floats(b)[i % t.c] + floats(c)[i]);
  });
}
cudnnStatus_t cudnnAddTensor(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t ad, const void* a, const void* beta,
                             cudnnTensorDescriptor_t cd, void* c) {
  const cudnnTensorStruct t = *cd;
  const bool whole = both_packed(*ad, t), right = (whole || (t.packed() && a_channel(*ad, t.c))) && are(alpha, 1, beta, 1);
  return computed("AddTensor", handle, right, [=] {
    for (size_t i = 0; i < count(t); ++i) floats(c)[i] += floats(a)[whole ? i : i % t.c];
  });
}
cudnnStatus_t cudnnSetTensor(cudnnHandle_t handle, cudnnTensorDescriptor_t yd, void* y, const void* value) {
  const cudnnTensorStruct t = *yd;
  const float v = number(value);
  return computed("SetTensor", handle, t.packed(), [=] { std::fill_n(floats(y), count(t), v); });
}
cudnnStatus_t cudnnTransformTensor(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t xd, const void* x, const void* beta,
                                   cudnnTensorDescriptor_t yd, void* y) {
  const cudnnTensorStruct from = *xd, to = *yd;
  const float kept = number(beta);
  return computed("TransformTensor", handle, same(from, to) && number(alpha) == 1 && (kept == 0 || kept == 1), [=] {
    each(to, [&](int n, int c, int h, int w) {
      float& target = floats(y)[at(to, n, c, h, w)];
      target = floats(x)[at(from, n, c, h, w)] + (kept == 0 ? 0 : target);
    });
  });
}
cudnnStatus_t cudnnSoftmaxForward(cudnnHandle_t handle, cudnnSoftmaxAlgorithm_t algorithm, cudnnSoftmaxMode_t mode, const void* alpha,
                                  cudnnTensorDescriptor_t xd, const void* x, const void* beta, cudnnTensorDescriptor_t yd, void* y) {
  const cudnnTensorStruct from = *xd, to = *yd;
  const bool right =
      algorithm == CUDNN_SOFTMAX_LOG && mode == CUDNN_SOFTMAX_MODE_INSTANCE && same(from, to) && from.h == 1 && from.w == 1 && are(alpha, 1, beta, 0);
  return computed("SoftmaxForward", handle, right, [=] {
    for (int n = 0; n < from.n; ++n) {
      double most = -INFINITY, sum = 0;
      for (int c = 0; c < from.c; ++c) most = std::max<double>(most, floats(x)[at(from, n, c, 0, 0)]);
      for (int c = 0; c < from.c; ++c) sum += std::exp(floats(x)[at(from, n, c, 0, 0)] - most);
      for (int c = 0; c < from.c; ++c) floats(y)[at(to, n, c, 0, 0)] = static_cast<float>(floats(x)[at(from, n, c, 0, 0)] - most - std::log(sum));
    }
  });
}
cudnnStatus_t cudnnConvolutionBackwardBias(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t dyd, const void* dy, const void* beta,
                                           cudnnTensorDescriptor_t dbd, void* db) {
  const cudnnTensorStruct t = *dyd;
  return computed("ConvolutionBackwardBias", handle, t.packed() && a_channel(*dbd, t.c) && are(alpha, 1, beta, 0), [=] {
    for (int c = 0; c < t.c; ++c) {
      double sum = 0;
      for (size_t i = c; i < count(t); i += t.c) sum += floats(dy)[i];
      floats(db)[c] = static_cast<float>(sum);
    }
  });
}
