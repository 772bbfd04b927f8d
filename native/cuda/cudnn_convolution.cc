#include "cuda/cudnn_convolution.h"

#include <algorithm>
#include <string>

#include "cuda/cudnn_functions.h"
#include "devices/cuda/cudnn_library.h"

namespace fer::cuda {
namespace {

constexpr int kMostAlgorithms = 16;
constexpr size_t kMostPlans = 2;                      // of a shape, to be measured
constexpr size_t kMostWorkspace = size_t{256} << 20;  // bytes

const char* name(CudnnPass pass) {
  return pass == CudnnPass::kForward ? "forward" : pass == CudnnPass::kInputGradient ? "input gradient" : "weight gradient";
}

}  // namespace

#ifdef FER_CUDA_ON_HOST
std::function<void*(const char*)> system_cudnn() { return cuda_on_host::cudnn_symbol; }
#else
std::function<void*(const char*)> system_cudnn() {
  if (!CudnnLibrary::probe().usable()) return nullptr;
  return [library = std::make_shared<CudnnLibrary>()](const char* symbol) { return reinterpret_cast<void*>(library->function<void()>(symbol)); };
}
#endif

struct Cudnn::Descriptors {
  explicit Descriptors(const Functions& functions) : call(functions) {}
  ~Descriptors() {
    if (x) call.DestroyTensorDescriptor(x);
    if (y) call.DestroyTensorDescriptor(y);
    if (w) call.DestroyFilterDescriptor(w);
    if (convolution) call.DestroyConvolutionDescriptor(convolution);
  }
  const Functions& call;
  cudnnTensorDescriptor_t x = nullptr, y = nullptr;
  cudnnFilterDescriptor_t w = nullptr;
  cudnnConvolutionDescriptor_t convolution = nullptr;
  std::map<CudnnPass, std::vector<CudnnPlan>> plans;
};

Cudnn::Cudnn(const std::function<void*(const char*)>& symbol, Precision precision, std::initializer_list<cudaStream_t> streams)
    : call_(std::make_unique<Functions>(symbol)), precision_(precision) {
  try {
    for (const cudaStream_t stream : streams) {
      cudnnHandle_t handle = nullptr;
      check(call_->Create(&handle), "preparing cuDNN");
      handles_[stream] = handle;
      check(call_->SetStream(handle, stream), "preparing cuDNN");
    }
  } catch (...) {
    for (const auto& [stream, handle] : handles_) call_->Destroy(static_cast<cudnnHandle_t>(handle));
    throw;
  }
}

Cudnn::~Cudnn() {
  descriptors_.clear();
  for (const auto& [stream, handle] : handles_) call_->Destroy(static_cast<cudnnHandle_t>(handle));
}

size_t Cudnn::version() const { return call_->GetVersion(); }

void Cudnn::check(int status, const std::string& op) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  const std::string message =
      op + " failed in cuDNN: " + call_->GetErrorString(static_cast<cudnnStatus_t>(status)) + " (" + std::to_string(status) + ')';
  if (!CudnnFailure(status, message).of_shape()) give_up(message);
  cudaGetLastError();  // what it leaves behind is no error of the calls that follow
  throw CudnnFailure(status, message);
}

Cudnn::Descriptors& Cudnn::descriptors(const CudnnShape& s) {
  std::unique_ptr<Descriptors>& known = descriptors_[s];
  if (known) return *known;
  auto d = std::make_unique<Descriptors>(*call_);
  const std::string op = "describing a convolution";
  const int out_size = (s.size + 2 * s.pad - s.kernel) / s.stride + 1;
  check(call_->CreateTensorDescriptor(&d->x), op);
  check(call_->CreateTensorDescriptor(&d->y), op);
  check(call_->CreateFilterDescriptor(&d->w), op);
  check(call_->CreateConvolutionDescriptor(&d->convolution), op);
  check(call_->SetTensor4dDescriptor(d->x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, s.n, s.in, s.size, s.size), op);
  check(call_->SetTensor4dDescriptor(d->y, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, s.n, s.out, out_size, out_size), op);
  check(call_->SetFilter4dDescriptor(d->w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, s.out, s.in / s.groups, s.kernel, s.kernel), op);
  check(call_->SetConvolution2dDescriptor(d->convolution, s.pad, s.pad, s.stride, s.stride, 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT), op);
  check(call_->SetConvolutionGroupCount(d->convolution, s.groups), op);
  // The default lets cuDNN round float32 operands to TF32; FMA forbids it. It has no bf16 product of float32 operands, so in
  // that mode its convolutions are TF32, which is the more exact.
  check(call_->SetConvolutionMathType(d->convolution, precision_ == Precision::kFp32 ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH), op);
  return *(known = std::move(d));
}

const std::vector<CudnnPlan>& Cudnn::plans(CudnnPass pass, const CudnnShape& shape) {
  Descriptors& d = descriptors(shape);
  if (const auto known = d.plans.find(pass); known != d.plans.end()) return known->second;
  std::vector<CudnnPlan> plans;
  auto* handle = static_cast<cudnnHandle_t>(handles_.begin()->second);
  int count = 0;
  auto keep = [&](int status, const auto& found) {
    if (status >= 3000 && status < 4000) return;
    check(status, std::string("asking for algorithms, ") + name(pass) + ',');
    for (int i = 0; i < count && plans.size() < kMostPlans; ++i) {
      const CudnnPlan plan{static_cast<int>(found[i].algo), found[i].memory, found[i].mathType};
      const bool asked_for = precision_ == Precision::kFp32 ? plan.math == CUDNN_FMA_MATH || plan.math == CUDNN_DEFAULT_MATH
                                                            : plan.math != CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION;
      const bool another = std::none_of(plans.begin(), plans.end(), [&](const CudnnPlan& known) { return known.algorithm == plan.algorithm; });
      if (found[i].status == CUDNN_STATUS_SUCCESS && found[i].determinism == CUDNN_DETERMINISTIC && plan.workspace <= kMostWorkspace && asked_for &&
          another)
        plans.push_back(plan);
    }
  };
  if (pass == CudnnPass::kForward) {
    cudnnConvolutionFwdAlgoPerf_t found[kMostAlgorithms];
    keep(call_->GetConvolutionForwardAlgorithm_v7(handle, d.x, d.w, d.convolution, d.y, kMostAlgorithms, &count, found), found);
  } else if (pass == CudnnPass::kInputGradient) {
    cudnnConvolutionBwdDataAlgoPerf_t found[kMostAlgorithms];
    keep(call_->GetConvolutionBackwardDataAlgorithm_v7(handle, d.w, d.y, d.convolution, d.x, kMostAlgorithms, &count, found), found);
  } else {
    cudnnConvolutionBwdFilterAlgoPerf_t found[kMostAlgorithms];
    keep(call_->GetConvolutionBackwardFilterAlgorithm_v7(handle, d.x, d.y, d.convolution, d.w, kMostAlgorithms, &count, found), found);
  }
  return d.plans[pass] = std::move(plans);
}

void Cudnn::run(cudaStream_t stream, const char* op, CudnnPass pass, const CudnnShape& shape, const CudnnPlan& plan, const float* first,
                const float* second, float* result, void* workspace) {
  const Descriptors& d = descriptors(shape);
  auto* handle = static_cast<cudnnHandle_t>(handles_.at(stream));
  // An algorithm is for the kind of product that it was offered with; in float32 that is never to be TF32, which the default permits.
  check(call_->SetConvolutionMathType(d.convolution, precision_ == Precision::kFp32 ? CUDNN_FMA_MATH : static_cast<cudnnMathType_t>(plan.math)), op);
  const float one = 1, zero = 0;
  if (pass == CudnnPass::kForward)
    check(call_->ConvolutionForward(handle, &one, d.x, first, d.w, second, d.convolution, static_cast<cudnnConvolutionFwdAlgo_t>(plan.algorithm),
                                    workspace, plan.workspace, &zero, d.y, result),
          op);
  else if (pass == CudnnPass::kInputGradient)
    check(call_->ConvolutionBackwardData(handle, &one, d.w, second, d.y, first, d.convolution,
                                         static_cast<cudnnConvolutionBwdDataAlgo_t>(plan.algorithm), workspace, plan.workspace, &zero, d.x, result),
          op);
  else
    check(
        call_->ConvolutionBackwardFilter(handle, &one, d.x, first, d.y, second, d.convolution,
                                         static_cast<cudnnConvolutionBwdFilterAlgo_t>(plan.algorithm), workspace, plan.workspace, &zero, d.w, result),
        op);
}

}  // namespace fer::cuda
