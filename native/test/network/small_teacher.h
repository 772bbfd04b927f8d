// A teacher of another width and input size than those it is to teach.
#pragma once
#include <vector>

#include "network/teacher.h"
#include "test/backends.h"

namespace fer {

struct SmallTeacher {
  SmallTeacher() {
    weights.spec.stem[0] = 3;
    weights.spec.stem[1] = 6;
    weights.spec.modules = {9};
    weights.spec.input_size = 17;
    const Network network(weights.spec, network_backends().front().make(), kSeed);
    for (const TensorInfo& t : network.plan().tensors) values.push_back(network.read(t));
    for (size_t i = 0; i < values.size(); ++i) weights.tensors.push_back({network.plan().tensors[i].name, values[i]});
  }

  static constexpr uint64_t kSeed = 21;  // of the network whose weights these are
  std::vector<std::vector<float>> values;
  TeacherWeights weights;  // points into the values
};

}  // namespace fer
