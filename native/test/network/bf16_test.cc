// Whole networks in bf16 on the CPU beside float32: gradients of a step, and the loss of the first steps of a training.
#include <gtest/gtest.h>

#include <cmath>

#include "base/philox.h"
#include "cpu/cpu_backend.h"
#include "network/pass.h"
#include "network/trainer.h"
#include "test/cpu/forms.h"

namespace fer {
namespace {

constexpr int kImages = 80, kBatch = 20;

// Images whose classes can be told apart: a bright square on noise, in one of seven places.
std::shared_ptr<DataSet> squares() {
  auto data = std::make_shared<DataSet>();
  data->size = 48;
  for (uint32_t i = 0; i < kImages; ++i) {
    const int label = static_cast<int>(i % 7);
    for (int y = 0; y < 48; ++y)
      for (int x = 0; x < 48; ++x) {
        const bool bright = y / 16 == label / 3 && x / 16 == label % 3;
        data->images.push_back(static_cast<uint8_t>((philox(3, {i, static_cast<uint32_t>(y * 48 + x), 0, 0})[0] >> 25) + (bright ? 100 : 0)));
      }
    data->labels.push_back(static_cast<uint8_t>(label));
  }
  return data;
}

struct Training {
  std::vector<double> losses;                // of each epoch
  std::vector<float> gradients, parameters;  // after the last step
};

Training train(const Spec& spec, const cpu::Kernels& kernels, int threads, int epochs, int steps) {
  auto network = std::make_shared<Network>(spec, std::make_unique<cpu::CpuBackend>(threads, kernels), 1);
  TrainerOptions options;
  options.batch_size = kBatch;
  Trainer trainer(network, squares(), options);
  const std::atomic<bool> never{false};
  Training done;
  for (uint32_t epoch = 0; epoch < static_cast<uint32_t>(epochs); ++epoch) {
    EpochRequest request{.epoch = epoch, .rows = {}, .learning_rates = std::vector<float>(steps, 0.02f), .from = {}};
    for (int i = 0; i < steps * kBatch; ++i) request.rows.push_back(i % kImages);
    const EpochTotals totals = trainer.train_epoch(request, never, nullptr);
    done.losses.push_back(totals.loss_sum / static_cast<double>(totals.seen));
  }
  for (const TensorInfo& t : network->plan().tensors) {
    if (!t.trainable) continue;
    for (const float g : network->read_from(trainer.gradients(), t)) done.gradients.push_back(g);
    for (const float p : network->read(t)) done.parameters.push_back(p);
  }
  return done;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(double{a[i]} - b[i], 2);
    size += std::pow(double{b[i]}, 2);
  }
  return std::sqrt(difference / size);
}

class Bf16Test : public testing::TestWithParam<cpu::Form> {
 protected:
  const cpu::Kernels &bf16 = *GetParam().kernels, &fp32 = cpu::instruction_set().fp32();
  // All products but the first convolution's have 16 rows and columns at least.
  const Spec spec{.stem = {16, 16}, .modules = {16, 32, 64, 128}};
  // Wide enough for activations to lie in memory as bf16.
  const Spec half{.stem = {32, 32}, .modules = {32, 64}};
};

TEST_P(Bf16Test, ActivationsLieInMemoryAsBf16WhereAllLayersAreWide) {
  const auto bytes = [](const Spec& of, const cpu::Kernels& kernels) {
    const cpu::CpuBackend backend(1, kernels);
    const Plan plan = make_plan(of, backend.channel_alignment());
    return static_cast<double>(Pass::bytes_an_image(backend, plan, fuse(plan), Purpose::kTraining));
  };
  EXPECT_LT(bytes(half, bf16), 0.6 * bytes(half, fp32));
  EXPECT_EQ(bytes(spec, bf16), bytes(spec, fp32));
}

// ReLU and maxima that fall the other way make more of it than the rounding itself: every form is 0.13 to 0.14 off here.
TEST_P(Bf16Test, GradientsOfAStepAreThoseOfFloat32ButForRounding) {
  for (const Spec& of : {spec, Spec{}, half}) {
    const double off = distance(train(of, bf16, 2, 1, 1).gradients, train(of, fp32, 2, 1, 1).gradients);
    EXPECT_LT(off, 0.2);
    EXPECT_GT(off, 1e-4) << "nothing was rounded";
  }
}

TEST_P(Bf16Test, LossFallsAsInFloat32) {
  for (const Spec& of : {spec, half}) {
    const Training rounded = train(of, bf16, 2, 6, 4), exact = train(of, fp32, 2, 6, 4);
    for (size_t i = 0; i < exact.losses.size(); ++i) EXPECT_NEAR(rounded.losses[i], exact.losses[i], 0.1) << "epoch " << i;
    EXPECT_LT(rounded.losses.back(), 0.75 * rounded.losses.front());
  }
}

TEST_P(Bf16Test, IsTheSameBitForBitWhenRunAgain) {
  for (const Spec& of : {spec, half}) {
    const Training first = train(of, bf16, 3, 1, 2), again = train(of, bf16, 3, 1, 2);
    EXPECT_EQ(first.parameters, again.parameters);
    EXPECT_EQ(first.losses, again.losses);
  }
}

std::vector<cpu::Form> bf16_forms() {
  std::vector<cpu::Form> all = cpu::forms();
  std::erase_if(all, [](const cpu::Form& form) { return !form.bf16; });
  return all;
}
INSTANTIATE_TEST_SUITE_P(Forms, Bf16Test, testing::ValuesIn(bf16_forms()), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace fer
