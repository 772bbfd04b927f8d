// cuDNN's convolutions, NHWC, float32 in memory: descriptors made once a shape, and of its algorithms only those that give the
// same bits every time. cuDNN is opened at run time; what is called of it is resolved by name.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "backend.h"
#include "cuda/runtime.h"

namespace fer::cuda {

// Looks up the system's cuDNN 9 by symbol; null where it has none that can be used.
std::function<void*(const char*)> system_cudnn();

// cuDNN does not do this shape with this algorithm.
class Unsupported : public Error {
  using Error::Error;
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
};

class Cudnn {
 public:
  Cudnn(const std::function<void*(const char*)>& symbol, Precision precision);
  ~Cudnn();

  size_t version() const;
  // The deterministic plans of the shape, the one cuDNN believes fastest first; none where it does not support it.
  const std::vector<CudnnPlan>& plans(CudnnPass pass, const CudnnShape& shape);
  // forward: y from (x, w); input gradient: dx from (dy, w); weight gradient: dw from (x, dy).
  void run(cudaStream_t stream, const char* op, CudnnPass pass, const CudnnShape& shape, const CudnnPlan& plan, const float* first,
           const float* second, float* result, void* workspace);

 private:
  struct Functions;
  struct Descriptors;
  Descriptors& descriptors(const CudnnShape& shape);
  void check(int status, const std::string& op) const;

  std::unique_ptr<Functions> call_;
  void* handle_ = nullptr;
  Precision precision_;
  std::map<CudnnShape, std::unique_ptr<Descriptors>> descriptors_;
};

}  // namespace fer::cuda
