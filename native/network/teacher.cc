#include "network/teacher.h"

#include <algorithm>

#include "base/error.h"

namespace fer {

Teacher::Teacher(const TeacherWeights& weights, std::shared_ptr<Backend> backend, int batch)
    : network_(weights.spec, std::move(backend)),
      norms_(network_.batch_norms(nullptr)),
      pass_(network_.backend(), network_.plan(), network_.fusion(), Purpose::kInference, batch) {
  for (const TensorInfo& tensor : network_.plan().tensors) {
    const auto given = std::find_if(weights.tensors.begin(), weights.tensors.end(), [&](const auto& each) { return each.name == tensor.name; });
    if (given == weights.tensors.end()) throw Error("ERR_FER_MODEL_FORMAT", "the teacher has no tensor named " + tensor.name);
    network_.write(tensor, given->values);
  }
  for (const BatchNorm& norm : norms_) network_.backend().run(UseRunningStatistics{norm});
}

std::vector<Op> Teacher::ops(const Gather& gather) {
  Gather own = gather;
  own.out_size = network_.plan().spec.input_size;
  own.x = pass_.input();
  std::vector<Op> ops{own};
  const std::vector<Op> forward = pass_.forward({.parameters = network_.parameters(), .gradients = nullptr, .norms = norms_}, own.batch.n, false);
  ops.insert(ops.end(), forward.begin(), forward.end());
  return ops;
}

size_t Teacher::bytes_an_image(const Backend& backend, const Spec& spec) {
  const Plan plan = make_plan(spec, backend.channel_alignment());
  return Pass::bytes_an_image(backend, plan, fuse(plan), Purpose::kInference);
}

}  // namespace fer
