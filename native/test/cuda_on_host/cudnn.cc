// Convolutions as cuDNN defines them, in double precision. Every call checks what the real library would, and more strictly:
// packed NHWC tensors, [k][r][s][c] filters, group counts that divide, sizes that agree, 16-byte alignment, enough workspace.
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cudnn_state.h"

namespace cuda_on_host {

Cudnn& cudnn() {
  static Cudnn state;
  return state;
}

namespace {

bool consistent(const cudnnTensorStruct& x, const cudnnFilterStruct& w, const cudnnConvolutionStruct& c, const cudnnTensorStruct& y) {
  auto out = [&](int in, int kernel) { return (in + 2 * c.pad - kernel) / c.stride + 1; };
  return x.packed() && y.packed() && c.stride > 0 && c.pad >= 0 && x.n > 0 && x.n == y.n && x.c % c.groups == 0 && w.k % c.groups == 0 &&
         w.c == x.c / c.groups && y.c == w.k && y.h == out(x.h, w.h) && y.w == out(x.w, w.w);
}

// Visits every product: index into y, into w, into x.
template <class Visit>
void each_product(const cudnnTensorStruct& x, const cudnnFilterStruct& w, const cudnnConvolutionStruct& c, const cudnnTensorStruct& y,
                  const Visit& visit) {
  const int per_group = w.k / c.groups;
  for (int n = 0; n < y.n; ++n)
    for (int oy = 0; oy < y.h; ++oy)
      for (int ox = 0; ox < y.w; ++ox)
        for (int r = 0; r < w.h; ++r)
          for (int s = 0; s < w.w; ++s) {
            const int iy = oy * c.stride + r - c.pad, ix = ox * c.stride + s - c.pad;
            if (iy < 0 || ix < 0 || iy >= x.h || ix >= x.w) continue;
            const size_t y0 = ((static_cast<size_t>(n) * y.h + oy) * y.w + ox) * y.c, x0 = ((static_cast<size_t>(n) * x.h + iy) * x.w + ix) * x.c;
            for (int k = 0; k < w.k; ++k)
              for (int ci = 0; ci < w.c; ++ci)
                visit(y0 + k, ((static_cast<size_t>(k) * w.h + r) * w.w + s) * w.c + ci, x0 + k / per_group * w.c + ci);
          }
}

// Checks a call and submits it to the handle's stream: result[at] = sum of the products that `add` adds to it.
template <class Add>
cudnnStatus_t run(const char* name, cudnnHandle_t handle, const void* alpha, const void* beta, const void* first, const void* second, void* result,
                  size_t count, int algorithm, int deterministic, void* workspace, size_t bytes, const cudnnTensorStruct& x,
                  const cudnnFilterStruct& w, const cudnnConvolutionStruct& c, const cudnnTensorStruct& y, const Add& add) {
  ++cudnn().convolutions;
  if (cudnn().calls) cudnn().calls->push_back(name);
  cudnn().last_math = c.math;
  cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
  cudaStreamIsCapturing(handle->stream, &capture);
  const bool counts = !cudnn().only_captured || capture != cudaStreamCaptureStatusNone;
  if (const cudnnStatus_t status = asked("Convolution"); counts && status != CUDNN_STATUS_SUCCESS) return status;
  if (const cudnnStatus_t status = std::exchange(cudnn().next_run, CUDNN_STATUS_SUCCESS); status != CUDNN_STATUS_SUCCESS) return status;
  float one, zero;
  std::memcpy(&one, alpha, sizeof one);
  std::memcpy(&zero, beta, sizeof zero);
  if (!handle || one != 1 || zero != 0 || !aligned(first) || !aligned(second) || !aligned(result) || !consistent(x, w, c, y))
    return CUDNN_STATUS_BAD_PARAM;
  if (algorithm != deterministic && algorithm != 1) return CUDNN_STATUS_NOT_SUPPORTED;
  // Algorithm 1 is offered for one kind of product.
  if (algorithm == 1 && c.math == CUDNN_DEFAULT_MATH) return CUDNN_STATUS_NOT_SUPPORTED;
  const size_t needed = cudnn().workspace;
  if (algorithm == 1 && (bytes < needed || !aligned(workspace))) return CUDNN_STATUS_BAD_PARAM;
  handle->used = true;
  submit(handle->stream, [=] {
    if (algorithm == 1) std::memset(workspace, 0xff, needed);
    std::vector<double> sums(count);
    each_product(x, w, c, y, [&](size_t yi, size_t wi, size_t xi) {
      add(sums, static_cast<const float*>(first), static_cast<const float*>(second), yi, wi, xi);
    });
    for (size_t i = 0; i < count; ++i) static_cast<float*>(result)[i] = static_cast<float>(sums[i]);
  });
  return CUDNN_STATUS_SUCCESS;
}

// The believed fastest of each list is not deterministic, or not at hand, so that a caller who takes the first one is found out.
template <class Performance, class Algorithm>
cudnnStatus_t algorithms(bool right, const cudnnConvolutionStruct& c, int asked, int* returned, Performance* found, bool zero_is_deterministic) {
  if (!right) return CUDNN_STATUS_BAD_PARAM;
  *returned = 0;
  if (const cudnnStatus_t status = cuda_on_host::asked("GetConvolutionAlgorithm"); status != CUDNN_STATUS_SUCCESS) return status;
  const cudnnMathType_t of_one = c.math == CUDNN_FMA_MATH ? CUDNN_FMA_MATH : CUDNN_TENSOR_OP_MATH;
  const size_t workspace = cudnn().workspace;
  const Performance all[] = {
      {static_cast<Algorithm>(0), CUDNN_STATUS_SUCCESS, -1, 0, zero_is_deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC, c.math, {}},
      {static_cast<Algorithm>(1), CUDNN_STATUS_NOT_SUPPORTED, -1, 0, CUDNN_DETERMINISTIC, CUDNN_TENSOR_OP_MATH, {}},
      {static_cast<Algorithm>(1), CUDNN_STATUS_SUCCESS, -1, workspace, CUDNN_DETERMINISTIC, of_one, {}},
      {static_cast<Algorithm>(1), CUDNN_STATUS_SUCCESS, -1, workspace, CUDNN_DETERMINISTIC, of_one, {}},
  };
  for (const Performance& p : all)
    if (*returned < asked) found[(*returned)++] = p;
  return CUDNN_STATUS_SUCCESS;
}

}  // namespace

void* cudnn_symbol(const char* name) {
  static const std::map<std::string, void*> symbols = {
#define FER_SYMBOL(function) {#function, reinterpret_cast<void*>(&function)}
      FER_SYMBOL(cudnnGetVersion),
      FER_SYMBOL(cudnnGetErrorString),
      FER_SYMBOL(cudnnCreate),
      FER_SYMBOL(cudnnDestroy),
      FER_SYMBOL(cudnnSetStream),
      FER_SYMBOL(cudnnCreateTensorDescriptor),
      FER_SYMBOL(cudnnSetTensor4dDescriptor),
      FER_SYMBOL(cudnnDestroyTensorDescriptor),
      FER_SYMBOL(cudnnCreateFilterDescriptor),
      FER_SYMBOL(cudnnSetFilter4dDescriptor),
      FER_SYMBOL(cudnnDestroyFilterDescriptor),
      FER_SYMBOL(cudnnCreateConvolutionDescriptor),
      FER_SYMBOL(cudnnSetConvolution2dDescriptor),
      FER_SYMBOL(cudnnSetConvolutionMathType),
      FER_SYMBOL(cudnnSetConvolutionGroupCount),
      FER_SYMBOL(cudnnDestroyConvolutionDescriptor),
      FER_SYMBOL(cudnnGetConvolutionForwardAlgorithm_v7),
      FER_SYMBOL(cudnnGetConvolutionBackwardDataAlgorithm_v7),
      FER_SYMBOL(cudnnGetConvolutionBackwardFilterAlgorithm_v7),
      FER_SYMBOL(cudnnConvolutionForward),
      FER_SYMBOL(cudnnConvolutionBackwardData),
      FER_SYMBOL(cudnnConvolutionBackwardFilter),
      FER_SYMBOL(cudnnSetTensor4dDescriptorEx),
      FER_SYMBOL(cudnnCreateActivationDescriptor),
      FER_SYMBOL(cudnnSetActivationDescriptor),
      FER_SYMBOL(cudnnDestroyActivationDescriptor),
      FER_SYMBOL(cudnnActivationForward),
      FER_SYMBOL(cudnnActivationBackward),
      FER_SYMBOL(cudnnBatchNormalizationForwardTraining),
      FER_SYMBOL(cudnnBatchNormalizationForwardInference),
      FER_SYMBOL(cudnnBatchNormalizationBackward),
      FER_SYMBOL(cudnnCreatePoolingDescriptor),
      FER_SYMBOL(cudnnSetPooling2dDescriptor),
      FER_SYMBOL(cudnnDestroyPoolingDescriptor),
      FER_SYMBOL(cudnnPoolingForward),
      FER_SYMBOL(cudnnPoolingBackward),
      FER_SYMBOL(cudnnCreateOpTensorDescriptor),
      FER_SYMBOL(cudnnSetOpTensorDescriptor),
      FER_SYMBOL(cudnnDestroyOpTensorDescriptor),
      FER_SYMBOL(cudnnOpTensor),
      FER_SYMBOL(cudnnAddTensor),
      FER_SYMBOL(cudnnSetTensor),
      FER_SYMBOL(cudnnTransformTensor),
      FER_SYMBOL(cudnnSoftmaxForward),
      FER_SYMBOL(cudnnConvolutionBackwardBias),
#undef FER_SYMBOL
  };
  const auto at = symbols.find(name);
  return at == symbols.end() ? nullptr : at->second;
}

}  // namespace cuda_on_host

using namespace cuda_on_host;

size_t cudnnGetVersion() { return 90100; }
const char* cudnnGetErrorString(cudnnStatus_t s) {
  return s == CUDNN_STATUS_BAD_PARAM       ? "CUDNN_STATUS_BAD_PARAM"
         : s == CUDNN_STATUS_NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
                                           : "CUDNN_STATUS_EXECUTION_FAILED";
}
cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  refuse_while_capturing("cudnnCreate");  // it takes device memory
  if (const cudnnStatus_t status = asked("Create"); status != CUDNN_STATUS_SUCCESS) return status;
  return *handle = new cudnnContext{}, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) { return delete handle, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  if (const cudnnStatus_t status = asked("SetStream"); status != CUDNN_STATUS_SUCCESS) return status;
  // What a handle keeps between its calls would be shared by two branches of a step.
  if (handle->used && handle->stream != stream) misuse("a cuDNN handle is taken from one stream to another");
  return handle->stream = stream, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* d) { return *d = new cudnnTensorStruct, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t d, cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c, int h, int w) {
  if (const cudnnStatus_t status = asked("SetTensor4dDescriptor"); status != CUDNN_STATUS_SUCCESS) return status;
  if (format != CUDNN_TENSOR_NHWC || type != CUDNN_DATA_FLOAT || n < 1 || c < 1 || h < 1 || w < 1) return CUDNN_STATUS_BAD_PARAM;
  return *d = {n, c, h, w, {h * w * c, 1, w * c, c}}, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t d) { return delete d, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* d) { return *d = new cudnnFilterStruct, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t d, cudnnDataType_t type, cudnnTensorFormat_t format, int k, int c, int h, int w) {
  if (format != CUDNN_TENSOR_NHWC || type != CUDNN_DATA_FLOAT || k < 1 || c < 1 || h < 1 || w < 1) return CUDNN_STATUS_BAD_PARAM;
  return *d = {k, c, h, w}, CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t d) { return delete d, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* d) { return *d = new cudnnConvolutionStruct, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t d, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w,
                                              cudnnConvolutionMode_t mode, cudnnDataType_t type) {
  if (pad_h != pad_w || pad_h < 0 || u != v || u < 1 || dilation_h != 1 || dilation_w != 1 || mode != CUDNN_CROSS_CORRELATION ||
      type != CUDNN_DATA_FLOAT)
    return CUDNN_STATUS_BAD_PARAM;
  d->pad = pad_h;
  d->stride = u;
  return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t d, cudnnMathType_t math) { return d->math = math, CUDNN_STATUS_SUCCESS; }
cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t d, int groups) {
  return d->groups = groups, groups > 0 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t d) { return delete d, CUDNN_STATUS_SUCCESS; }

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnFilterDescriptor_t w,
                                                     cudnnConvolutionDescriptor_t c, cudnnTensorDescriptor_t y, int asked, int* returned,
                                                     cudnnConvolutionFwdAlgoPerf_t* found) {
  return algorithms<cudnnConvolutionFwdAlgoPerf_t, cudnnConvolutionFwdAlgo_t>(consistent(*x, *w, *c, *y), *c, asked, returned, found, true);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t, cudnnFilterDescriptor_t w, cudnnTensorDescriptor_t dy,
                                                          cudnnConvolutionDescriptor_t c, cudnnTensorDescriptor_t dx, int asked, int* returned,
                                                          cudnnConvolutionBwdDataAlgoPerf_t* found) {
  return algorithms<cudnnConvolutionBwdDataAlgoPerf_t, cudnnConvolutionBwdDataAlgo_t>(consistent(*dx, *w, *c, *dy), *c, asked, returned, found,
                                                                                      false);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t dy,
                                                            cudnnConvolutionDescriptor_t c, cudnnFilterDescriptor_t dw, int asked, int* returned,
                                                            cudnnConvolutionBwdFilterAlgoPerf_t* found) {
  return algorithms<cudnnConvolutionBwdFilterAlgoPerf_t, cudnnConvolutionBwdFilterAlgo_t>(consistent(*x, *dw, *c, *dy), *c, asked, returned, found,
                                                                                          false);
}
cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t xd, const void* x, cudnnFilterDescriptor_t wd,
                                      const void* w, cudnnConvolutionDescriptor_t c, cudnnConvolutionFwdAlgo_t algorithm, void* workspace,
                                      size_t bytes, const void* beta, cudnnTensorDescriptor_t yd, void* y) {
  return run("ConvolutionForward", handle, alpha, beta, x, w, y, static_cast<size_t>(yd->n) * yd->h * yd->w * yd->c, algorithm, 0, workspace, bytes,
             *xd, *wd, *c, *yd,
             [](std::vector<double>& sums, const float* x, const float* w, size_t yi, size_t wi, size_t xi) { sums[yi] += double{x[xi]} * w[wi]; });
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha, cudnnFilterDescriptor_t wd, const void* w,
                                           cudnnTensorDescriptor_t dyd, const void* dy, cudnnConvolutionDescriptor_t c,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void* workspace, size_t bytes, const void* beta,
                                           cudnnTensorDescriptor_t dxd, void* dx) {
  return run("ConvolutionBackwardData", handle, alpha, beta, w, dy, dx, static_cast<size_t>(dxd->n) * dxd->h * dxd->w * dxd->c, algorithm, 1,
             workspace, bytes, *dxd, *wd, *c, *dyd,
             [](std::vector<double>& sums, const float* w, const float* dy, size_t yi, size_t wi, size_t xi) { sums[xi] += double{dy[yi]} * w[wi]; });
}
cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha, cudnnTensorDescriptor_t xd, const void* x,
                                             cudnnTensorDescriptor_t dyd, const void* dy, cudnnConvolutionDescriptor_t c,
                                             cudnnConvolutionBwdFilterAlgo_t algorithm, void* workspace, size_t bytes, const void* beta,
                                             cudnnFilterDescriptor_t dwd, void* dw) {
  return run("ConvolutionBackwardFilter", handle, alpha, beta, x, dy, dw, static_cast<size_t>(dwd->k) * dwd->h * dwd->w * dwd->c, algorithm, 1,
             workspace, bytes, *xd, *dwd, *c, *dyd,
             [](std::vector<double>& sums, const float* x, const float* dy, size_t yi, size_t wi, size_t xi) { sums[wi] += double{x[xi]} * dy[yi]; });
}
