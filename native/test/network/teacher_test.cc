// What a teacher says, and which are refused. What is learnt from one: GradientTest, and the op's test.
#include "network/teacher.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/philox.h"
#include "network/trainer.h"
#include "test/backends.h"
#include "test/network/small_teacher.h"

namespace fer {
namespace {

std::vector<uint8_t> noise(size_t count) {
  std::vector<uint8_t> pixels(count);
  for (size_t i = 0; i < count; ++i) pixels[i] = philox(99, {static_cast<uint32_t>(i), 0, 0, 0})[0] >> 24;
  return pixels;
}

std::unique_ptr<Backend> cpu() { return network_backends().front().make(); }

TEST(Teacher, SaysWhatItsNetworkSays) {
  const SmallTeacher small;
  const std::vector<uint8_t> pixels = noise(6 * 23 * 23);
  const std::vector<uint32_t> order = {4, 0, 5, 2};
  for (const TestBackend& device : network_backends()) {
    Network network(small.weights.spec, device.make(), SmallTeacher::kSeed);
    const std::vector<float> expected = network.infer(pixels.data(), 23, order.data(), 3, false);
    const std::shared_ptr<Backend> backend = device.make();
    Teacher teacher(small.weights, backend, 4);
    Buffer<uint8_t> images(*backend, pixels.size());
    Buffer<uint32_t> rows(*backend, order.size());
    backend->upload(images.data(), pixels.data(), images.bytes());
    backend->upload(rows.data(), order.data(), rows.bytes());
    backend->run(teacher.ops(
        {.batch = {.images = images.data(), .labels = nullptr, .size = 23, .order = rows.data(), .step = nullptr, .n = 3, .variants = nullptr},
         .augments = false,
         .pass = {},
         .out_size = 23,
         .x = nullptr}));
    std::vector<float> logits(3 * 8);
    backend->download(logits.data(), teacher.logits(), logits.size() * sizeof(float));
    for (int i = 0; i < 3; ++i)
      for (int k = 0; k < 7; ++k) EXPECT_NEAR(logits[i * 8 + k], expected[i * 7 + k], 1e-5) << device.name << " image " << i << " class " << k;
  }
}

TEST(Teacher, RefusesWeightsThatDoNotFit) {
  const SmallTeacher small;
  TeacherWeights lacking = small.weights, longer = small.weights;
  lacking.tensors.pop_back();
  longer.tensors[0].values = longer.tensors[1].values;
  EXPECT_THROW(Teacher(lacking, cpu(), 1), Error);
  EXPECT_THROW(Teacher(longer, cpu(), 1), Error);
  TeacherWeights other = small.weights;
  other.spec.classes = 5;
  const TeacherWeights teachers[] = {other};
  auto data = std::make_shared<DataSet>();
  data->size = 48;
  data->images = noise(48 * 48);
  data->labels = {0};
  EXPECT_THROW(Trainer(std::make_shared<Network>(Spec{}, cpu(), 1), data, {}, teachers), Error);
}

}  // namespace
}  // namespace fer
