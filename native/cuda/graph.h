// Launches recorded once and submitted as one.
#pragma once
#include <functional>

#include "cuda/runtime.h"

namespace fer::cuda {

class Graph {
 public:
  // Records what `submit` submits to the stream; none of it runs. What it throws ends the recording.
  Graph(cudaStream_t stream, const std::function<void()>& submit) {
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing the step");
    cudaGraph_t captured = nullptr;
    try {
      submit();
    } catch (...) {
      cudaStreamEndCapture(stream, &captured);
      if (captured) cudaGraphDestroy(captured);
      cudaGetLastError();
      throw;
    }
    check(cudaStreamEndCapture(stream, &captured), "capturing the step");
    const cudaError_t status = cudaGraphInstantiate(&executable_, captured, 0);
    cudaGraphDestroy(captured);
    check(status, "preparing the step's graph");
  }

  void launch(cudaStream_t stream) const { check(cudaGraphLaunch(executable_, stream), "launching the step's graph"); }

 private:
  Owned<cudaGraphExec_t, cudaGraphExecDestroy> executable_;
};

}  // namespace fer::cuda
