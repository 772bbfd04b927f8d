// A network whose answers another one learns: it sees the batches of a training as the one that learns does, and keeps its weights.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "network/network.h"

namespace fer {

// What makes one: weights in PyTorch's layout, by name.
struct TeacherWeights {
  struct Tensor {
    std::string name;
    std::span<const float> values;
  };
  Spec spec;
  std::vector<Tensor> tensors;
};

class Teacher {
 public:
  // On `backend`, for batches of up to `batch` images. Throws ERR_FER_MODEL_FORMAT where a tensor is missing or of another size,
  // ERR_FER_OUT_OF_MEMORY.
  Teacher(const TeacherWeights& weights, std::shared_ptr<Backend> backend, int batch);

  // The images of `gather`, at this network's size, and from them its logits.
  std::vector<Op> ops(const Gather& gather);
  const float* logits() const { return pass_.logits(); }
  size_t bytes() const { return network_.bytes() + pass_.bytes(); }
  // Of an image, before there is one.
  static size_t bytes_an_image(const Backend& backend, const Spec& spec);

 private:
  Network network_;
  std::vector<BatchNorm> norms_;  // the ops point into them
  Pass pass_;
};

}  // namespace fer
