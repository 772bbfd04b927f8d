// The pretended run time (cuda_on_host/) ends the process where a GPU would fault, fail at some later call, or silently do another thing.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include "cudnn.h"

namespace fer {
namespace {

class EmulationDeathTest : public testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    cudaEventCreate(&event);
    cudaMalloc(&memory, 16);
  }
  void TearDown() override {
    cudaFree(memory);
    cudaEventDestroy(event);
    cudaStreamDestroy(other);
    cudaStreamDestroy(stream);
  }
  void capture() { cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal); }
  void end() {
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(stream, &graph);
    cudaGraphDestroy(graph);
  }

  cudaStream_t stream = nullptr, other = nullptr;
  cudaEvent_t event = nullptr;
  void* memory = nullptr;
};

TEST_F(EmulationDeathTest, NothingIsAllocatedFreedOrWaitedForDuringCapture) {
  capture();
  EXPECT_DEATH(cudaMalloc(&memory, 16), "misuse of CUDA: cudaMalloc while this thread captures");
  EXPECT_DEATH(cudaFree(memory), "misuse of CUDA: cudaFree while this thread captures");
  EXPECT_DEATH(cudaStreamSynchronize(stream), "misuse of CUDA: cudaStreamSynchronize of a stream that is being captured");
  EXPECT_DEATH(cudaStreamSynchronize(other), "misuse of CUDA: cudaStreamSynchronize while this thread captures");
  EXPECT_DEATH(cudaEventSynchronize(event), "misuse of CUDA: cudaEventSynchronize while this thread captures");
  EXPECT_DEATH(cudaStreamDestroy(stream), "misuse of CUDA: cudaStreamDestroy of a stream that is being captured");
  EXPECT_DEATH(capture(), "misuse of CUDA: cudaStreamBeginCapture of a stream that is being captured");
  cudnnHandle_t handle = nullptr;
  EXPECT_DEATH(cudnnCreate(&handle), "misuse of CUDA: cudnnCreate while this thread captures");
  end();
}

TEST_F(EmulationDeathTest, WhatIsCapturedHasBeenBegun) {
  EXPECT_DEATH(end(), "misuse of CUDA: cudaStreamEndCapture by a thread that captures nothing");
  capture();
  cudaEventRecord(event, stream);
  end();
  EXPECT_DEATH(cudaEventSynchronize(event), "misuse of CUDA: cudaEventSynchronize with an event that was captured");
}

TEST_F(EmulationDeathTest, CallsFindTheirOwnDevice) {
  cuda_on_host::machine().devices = 2;
  cudaSetDevice(1);
  EXPECT_DEATH(cudaMemsetAsync(memory, 0, 16, stream), "misuse of CUDA: a launch is called for device 0 while the thread's is 1");
  EXPECT_DEATH(cudaEventRecord(event, stream), "misuse of CUDA: cudaEventRecord is called for device 0");
  EXPECT_DEATH(cudaStreamDestroy(stream), "misuse of CUDA: cudaStreamDestroy is called for device 0");
  EXPECT_DEATH(cudaStreamSynchronize(stream), "misuse of CUDA: cudaStreamSynchronize is called for device 0");
  EXPECT_DEATH(capture(), "misuse of CUDA: cudaStreamBeginCapture is called for device 0");
  EXPECT_DEATH(cudaGraphLaunch(nullptr, stream), "misuse of CUDA: cudaGraphLaunch is called for device 0");
  cudaSetDevice(0);
  cuda_on_host::machine().devices = 1;
}

TEST_F(EmulationDeathTest, MemoryIsFreedOnce) {
  cudaFree(memory);
  EXPECT_DEATH(cudaFree(memory), "misuse of CUDA: cudaFree of what was not allocated");
  memory = nullptr;
}

TEST_F(EmulationDeathTest, ACudnnHandleStaysWithItsStream) {
  cudnnHandle_t handle = nullptr;
  cudnnTensorDescriptor_t x = nullptr;
  cudnnFilterDescriptor_t w = nullptr;
  cudnnConvolutionDescriptor_t c = nullptr;
  cudnnCreate(&handle);
  cudnnSetStream(handle, stream);
  cudnnSetStream(handle, other);
  cudnnCreateTensorDescriptor(&x);
  cudnnSetTensor4dDescriptor(x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 1, 1);
  cudnnCreateFilterDescriptor(&w);
  cudnnSetFilter4dDescriptor(w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 1, 1, 1, 1);
  cudnnCreateConvolutionDescriptor(&c);
  cudnnSetConvolution2dDescriptor(c, 0, 0, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT);
  const float one = 1, zero = 0;
  ASSERT_EQ(cudnnConvolutionForward(handle, &one, x, memory, w, memory, c, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, nullptr, 0, &zero, x, memory),
            CUDNN_STATUS_SUCCESS);
  EXPECT_DEATH(cudnnSetStream(handle, stream), "misuse of CUDA: a cuDNN handle is taken from one stream to another");
  cudnnDestroyConvolutionDescriptor(c);
  cudnnDestroyFilterDescriptor(w);
  cudnnDestroyTensorDescriptor(x);
  cudnnDestroy(handle);
}

}  // namespace
}  // namespace fer
