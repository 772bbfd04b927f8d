// cuDNN's convolutions, NHWC, float32 in memory: descriptors made once a shape, and of its algorithms only those that give the
// same bits every time. cuDNN is opened at run time; what is called of it is resolved by name.
#pragma once
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <vector>

#include "backend.h"
#include "cuda/runtime.h"

namespace fer::cuda {

// Looks up the system's cuDNN 9 by symbol; null where it has none that can be used.
std::function<void*(const char*)> system_cudnn();

// cuDNN, which is optional, has refused a call.
class CudnnFailure : public Error {
 public:
  CudnnFailure(int status, const std::string& message) : Error("ERR_FER_CUDA", message), status_(status) {}
  // It does not do this shape with this algorithm, or these parameters; else it is of no use at all.
  bool of_shape() const { return status_ >= 2000 && status_ < 4000; }  // CUDNN_STATUS_BAD_PARAM, _NOT_SUPPORTED and their kinds

 private:
  int status_;
};

// `size`: of the square input. Weights are [out][kernel][kernel][in / groups].
struct CudnnShape {
  int n, size, in, out, kernel, pad, stride, groups;
  auto operator<=>(const CudnnShape&) const = default;
};

enum class CudnnPass { kForward, kInputGradient, kWeightGradient };

struct CudnnPlan {
  int algorithm;
  size_t workspace;  // bytes
  int math;          // cudnnMathType_t
};

class Cudnn {
 public:
  // Will run on `streams` alone: each has a handle of its own, as a handle keeps state for what runs on its stream.
  Cudnn(const std::function<void*(const char*)>& symbol, Precision precision, std::initializer_list<cudaStream_t> streams);
  ~Cudnn();

  size_t version() const;
  // Why it is to be used no longer; empty: it may be.
  const std::string& problem() const { return problem_; }
  void give_up(const std::string& why) { problem_ = why; }
  // The deterministic plans of the shape, the one cuDNN believes fastest first, an algorithm but once; none where it does not
  // support it.
  const std::vector<CudnnPlan>& plans(CudnnPass pass, const CudnnShape& shape);
  // Throws CudnnFailure, as `plans` does; after one that is not of the shape alone it is to be used no longer.
  // forward: y from (x, w); input gradient: dx from (dy, w); weight gradient: dw from (x, dy).
  void run(cudaStream_t stream, const char* op, CudnnPass pass, const CudnnShape& shape, const CudnnPlan& plan, const float* first,
           const float* second, float* result, void* workspace);

  struct Functions;
  const Functions& call() const { return *call_; }
  void* handle(cudaStream_t stream) const { return handles_.at(stream); }
  // Throws CudnnFailure unless `status` is that of success.
  void check(int status, const std::string& op);

 private:
  struct Descriptors;
  Descriptors& descriptors(const CudnnShape& shape);

  std::unique_ptr<Functions> call_;
  std::map<cudaStream_t, void*> handles_;
  Precision precision_;
  std::string problem_;
  std::map<CudnnShape, std::unique_ptr<Descriptors>> descriptors_;
};

}  // namespace fer::cuda
