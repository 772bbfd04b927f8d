// What is called of cuDNN, resolved by name when a GPU is opened: each member is the function of its name.
#pragma once
#include <cudnn.h>

#include "cuda/cudnn_convolution.h"

namespace fer::cuda {

#define FER_CUDNN_FUNCTIONS(EACH)                \
  EACH(GetVersion)                               \
  EACH(GetErrorString)                           \
  EACH(Create)                                   \
  EACH(Destroy)                                  \
  EACH(SetStream)                                \
  EACH(CreateTensorDescriptor)                   \
  EACH(SetTensor4dDescriptor)                    \
  EACH(DestroyTensorDescriptor)                  \
  EACH(CreateFilterDescriptor)                   \
  EACH(SetFilter4dDescriptor)                    \
  EACH(DestroyFilterDescriptor)                  \
  EACH(CreateConvolutionDescriptor)              \
  EACH(SetConvolution2dDescriptor)               \
  EACH(SetConvolutionMathType)                   \
  EACH(SetConvolutionGroupCount)                 \
  EACH(DestroyConvolutionDescriptor)             \
  EACH(GetConvolutionForwardAlgorithm_v7)        \
  EACH(GetConvolutionBackwardDataAlgorithm_v7)   \
  EACH(GetConvolutionBackwardFilterAlgorithm_v7) \
  EACH(ConvolutionForward)                       \
  EACH(ConvolutionBackwardData)                  \
  EACH(ConvolutionBackwardFilter)                \
  EACH(BatchNormalizationForwardTraining)        \
  EACH(BatchNormalizationForwardInference)       \
  EACH(BatchNormalizationBackward)               \
  EACH(CreateActivationDescriptor)               \
  EACH(SetActivationDescriptor)                  \
  EACH(DestroyActivationDescriptor)              \
  EACH(ActivationForward)                        \
  EACH(ActivationBackward)                       \
  EACH(CreatePoolingDescriptor)                  \
  EACH(SetPooling2dDescriptor)                   \
  EACH(DestroyPoolingDescriptor)                 \
  EACH(PoolingForward)                           \
  EACH(PoolingBackward)                          \
  EACH(CreateOpTensorDescriptor)                 \
  EACH(SetOpTensorDescriptor)                    \
  EACH(DestroyOpTensorDescriptor)                \
  EACH(OpTensor)                                 \
  EACH(AddTensor)                                \
  EACH(SetTensor)                                \
  EACH(TransformTensor)                          \
  EACH(SetTensor4dDescriptorEx)                  \
  EACH(SoftmaxForward)                           \
  EACH(ConvolutionBackwardBias)

struct Cudnn::Functions {
  explicit Functions(const std::function<void*(const char*)>& symbol) {
// NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is assigned to
#define FER_RESOLVE(function) function = reinterpret_cast<decltype(function)>(symbol("cudnn" #function));
    FER_CUDNN_FUNCTIONS(FER_RESOLVE)
#undef FER_RESOLVE
  }
// NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is declared
#define FER_DECLARE(function) decltype(cudnn##function)* function;
  FER_CUDNN_FUNCTIONS(FER_DECLARE)
#undef FER_DECLARE
};

}  // namespace fer::cuda
