// How an op's ways to run are put together: its key for the choice among them, and cuDNN's plans as further candidates.
#pragma once
#include <bit>
#include <initializer_list>
#include <vector>

#include "cuda/passes.cuh"
#include "cuda/product_launch.cuh"

namespace fer::cuda {

// What a choice is remembered by, such as "convolution fp32 40 46 32 64".
inline std::string choice_key(const Workspace& work, const char* op, std::initializer_list<int> shape) {
  std::string key = std::string(op) + (work.precision() == Precision::kFp32 ? " fp32" : work.precision() == Precision::kTf32 ? " tf32" : " bf16");
  for (int n : shape) key += ' ' + std::to_string(n);
  return key;
}
// Inference comes in any number of images; its choices go by powers of two, so that few are measured.
inline int batch_in_key(int n, bool training) { return training ? n : static_cast<int>(std::bit_ceil(static_cast<unsigned>(n))); }

// cuDNN's plans; none where it cannot say, which is no error.
inline std::vector<CudnnPlan> cudnn_plans(Workspace& work, CudnnPass pass, const CudnnShape& shape) {
  if (!work.cudnn()) return {};
  try {
    return work.cudnn()->plans(pass, shape);
  } catch (const CudnnFailure&) {
    return {};
  }
}

inline void run_cudnn(Workspace& work, const char* op, CudnnPass pass, const CudnnShape& shape, const CudnnPlan& plan, const float* first,
                      const float* second, float* result) {
  float* scratch = plan.workspace ? work.floats(Slot::kCudnn, plan.workspace / sizeof(float) + 1) : nullptr;
  if (!work.cudnn()) throw CudnnFailure(0, work.cudnn_problem());  // since it was offered
  work.cudnn()->run(work.stream(), op, pass, shape, plan, first, second, result, scratch);
}

// Adds one candidate a plan of cuDNN. `way(convolve)` does the whole op by calling convolve(first, second, result) once, the
// operands as Cudnn::run wants them.
template <class Way>
void add_cudnn(Candidates& ways, Workspace& work, const char* op, CudnnPass pass, const CudnnShape& shape, const Way& way) {
  for (const CudnnPlan& plan : cudnn_plans(work, pass, shape))
    ways.push_back(
        {.name = "cudnn algorithm " + std::to_string(plan.algorithm),
         .run =
             [=, &work] {
               way([&](const float* first, const float* second, float* result) { run_cudnn(work, op, pass, shape, plan, first, second, result); });
             },
         .optional = true});
}

// Weights [rows][columns] as cuDNN wants them, [columns][rows].
inline const float* turned(Workspace& work, const char* op, const float* weight, int rows, int columns) {
  float* out = work.floats(Slot::kWeights, static_cast<size_t>(rows) * columns);
  turn(work, op, weight, rows, columns, out);
  return out;
}

// What a forward op of a batch norm updates rather than overwrites.
inline std::vector<Updated> running_statistics(const BatchNorm& bn, bool training) {
  if (!training) return {};
  const auto count = static_cast<size_t>(bn.channels);
  return {{bn.running_mean, count}, {bn.running_var, count}};
}

}  // namespace fer::cuda
