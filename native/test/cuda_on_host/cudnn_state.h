// What the pretended cuDNN's two halves, convolutions (cudnn.cc) and the other layers (cudnn_layers.cc), know of descriptors and tests.
#pragma once
#include <cudnn.h>

#include <cstdint>

struct cudnnContext {
  cudaStream_t stream;
  bool used;
};
struct cudnnTensorStruct {
  int n = 0, c = 0, h = 0, w = 0;
  int strides[4] = {};  // n, c, h, w
  bool packed() const { return strides[1] == 1 && strides[3] == c && strides[2] == w * c && strides[0] == h * w * c; }
};
struct cudnnFilterStruct {
  int k = 0, c = 0, h = 0, w = 0;
};
struct cudnnConvolutionStruct {
  int pad = -1, stride = 0, groups = 1;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};

namespace cuda_on_host {

// What a test has made a call return.
inline cudnnStatus_t asked(const char* call) {
  const auto at = cudnn().returns.find(call);
  return at == cudnn().returns.end() ? CUDNN_STATUS_SUCCESS : at->second;
}

inline bool aligned(const void* p) { return p && reinterpret_cast<uintptr_t>(p) % 16 == 0; }

}  // namespace cuda_on_host
