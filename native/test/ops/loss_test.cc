// Softmax cross-entropy and its gradient, on the head's cases; and learning from teachers.
#include <algorithm>

#include "buffer.h"
#include "test/ops/op_test.h"

namespace fer {
namespace {

class LossOpTest : public OpTest {
 protected:
  template <class T>
  Buffer<T> on_device(const std::vector<T>& values) {
    Buffer<T> buffer(*backend, values.size());
    backend->upload(buffer.data(), values.data(), buffer.bytes());
    return buffer;
  }

  // Runs the op, image i of class i % c.out, and compares it with the case.
  void expect_loss(int padded, const LossOptions& options) {
    const Memory logits = load("logits"), d_logits = room(static_cast<size_t>(c.n) * padded);
    // Rows of a set of three more than the batch, backwards, starting at the second.
    std::vector<uint8_t> labels(c.n + 3);
    std::vector<uint32_t> order(c.n + 3);
    for (int i = 0; i < c.n; ++i) labels[order[i + 1] = c.n - i] = static_cast<uint8_t>(i % c.out);
    StepState now{};
    now.begin = 1;
    const auto label_memory = on_device(labels);
    const auto order_memory = on_device(order);
    const auto step = on_device<StepState>({now});
    const auto totals_memory = on_device<LossTotals>({{.loss_sum = 2.0, .correct = 5}});
    backend->run(SoftmaxCrossEntropy{.classes = c.out,
                                     .padded = padded,
                                     .logits = logits,
                                     .batch = {.images = nullptr,
                                               .labels = label_memory.data(),
                                               .size = 0,
                                               .order = order_memory.data(),
                                               .step = step.data(),
                                               .n = c.n,
                                               .variants = nullptr},
                                     .options = options,
                                     .d_logits = d_logits,
                                     .totals = totals_memory.data()});
    LossTotals totals;
    backend->download(&totals, totals_memory.data(), sizeof totals);
    EXPECT_NEAR(totals.loss_sum - 2, c.at("loss")[0], 1e-4);
    int correct = 5;
    for (int i = 0; i < c.n; ++i) {
      const float* row = c.at("logits").data() + static_cast<size_t>(i) * padded;
      correct += std::max_element(row, row + c.out) - row == i % c.out;
    }
    EXPECT_EQ(totals.correct, correct);
    expect_close(d_logits.values(), c.at("d_logits"), "d_logits");
  }
};

TEST_P(LossOpTest, MatchesPyTorch) {
  const Memory class_weights = load("class_weights");
  expect_loss(static_cast<int>(c.at("bias").size()),
              {.label_smoothing = c.at("smoothing")[0], .class_weights = c.flag ? static_cast<float*>(class_weights) : nullptr, .distillation = {}});
}

FER_OP_CASES(LossOpTest, "head");

class DistillationOpTest : public LossOpTest {};

TEST_P(DistillationOpTest, MatchesPyTorch) {
  const int padded = static_cast<int>(c.at("logits").size()) / c.n;
  const float smoothing = c.at("options")[0], share = c.at("options")[1], temperature = c.at("options")[2];
  const Memory class_weights = load("class_weights"), teachers = load("teachers");
  const Memory targets(*backend, std::vector<float>(c.at("targets").size(), 9.f));  // what lies there is overwritten
  for (int teacher = 0; teacher < c.in; ++teacher)
    backend->run(Soften{.n = c.n,
                        .classes = c.out,
                        .padded = padded,
                        .logits = teachers + static_cast<size_t>(teacher) * c.n * padded,
                        .temperature = temperature,
                        .share = 1.f / static_cast<float>(c.in),
                        .first = teacher == 0,
                        .probabilities = targets});
  expect_close(targets.values(), c.at("targets"), "targets");
  expect_loss(padded, {.label_smoothing = smoothing,
                       .class_weights = c.flag ? static_cast<float*>(class_weights) : nullptr,
                       .distillation = {.targets = targets, .share = share, .temperature = temperature}});
}

FER_OP_CASES(DistillationOpTest, "distillation");

}  // namespace
}  // namespace fer
