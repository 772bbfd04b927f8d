// The order of an epoch: which images it draws and how often, and that no two drawings of an image are augmented alike.
#include "data/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "cpu/cpu_backend.h"
#include "network/trainer.h"

namespace fer {
namespace {

const std::vector<int> kCounts = {400, 44, 410, 722, 483, 317, 496};  // FER2013's, a tenth; the data set also has images that do not train

struct Data {
  std::vector<uint32_t> rows;
  std::vector<uint8_t> labels;
};

Data imbalanced() {
  Data data;
  for (size_t c = 0; c < kCounts.size(); ++c) data.labels.insert(data.labels.end(), kCounts[c], static_cast<uint8_t>(c));
  for (uint32_t row = 0; row < data.labels.size(); ++row) data.rows.push_back(row);
  data.labels.insert(data.labels.end(), 50, 1);
  return data;
}

std::vector<int> class_counts(const EpochOrder& order, const std::vector<uint8_t>& labels) {
  std::vector<int> counts(kCounts.size());
  for (uint32_t row : order.rows) ++counts[labels[row]];
  return counts;
}

TEST(SamplingTest, DrawsEveryImageOnceWithoutBalance) {
  const Data data = imbalanced();
  EpochOrder order = draw_epoch(data.rows, data.labels, {}, 1, 0);
  EXPECT_NE(order.rows, data.rows);
  for (const Variant& v : order.variants) EXPECT_TRUE(v.repeat == 0 && v.strength == 1.f);
  std::sort(order.rows.begin(), order.rows.end());
  EXPECT_EQ(order.rows, data.rows);
}

TEST(SamplingTest, DrawsClassesInProportionToAPowerOfTheirCount) {
  const Data data = imbalanced();
  for (float balance : {0.25f, 0.5f, 1.f}) {
    double total = 0;
    for (int count : kCounts) total += std::pow(count, 1 - balance);
    for (uint32_t epoch : {0u, 1u, 7u}) {
      const EpochOrder order = draw_epoch(data.rows, data.labels, {balance, 0}, 3, epoch);
      ASSERT_EQ(order.rows.size(), data.rows.size());
      const std::vector<int> counts = class_counts(order, data.labels);
      for (size_t c = 0; c < kCounts.size(); ++c)
        EXPECT_NEAR(counts[c], std::pow(kCounts[c], 1 - balance) / total * static_cast<double>(data.rows.size()), 1)
            << "class " << c << " at " << balance;
      // Within a class all images come equally often, up to one drawing; rows outside the training split never.
      std::map<uint32_t, int> drawn;
      for (uint32_t row : order.rows) ++drawn[row];
      EXPECT_LT(drawn.rbegin()->first, data.rows.size());
      for (uint32_t row : data.rows) {
        const int c = data.labels[row];
        EXPECT_GE(drawn[row], counts[c] / kCounts[c]);
        EXPECT_LE(drawn[row], (counts[c] + kCounts[c] - 1) / kCounts[c]);
      }
    }
  }
}

TEST(SamplingTest, DrawsEveryImageOfACommonClassInTheLongRun) {
  const Data data = imbalanced();
  std::set<uint32_t> seen;
  for (uint32_t epoch = 0; epoch < 20; ++epoch)
    for (uint32_t row : draw_epoch(data.rows, data.labels, {1, 0}, 3, epoch).rows) seen.insert(row);
  EXPECT_EQ(seen.size(), data.rows.size());
}

TEST(SamplingTest, DependsOnSeedAndEpochAlone) {
  const Data data = imbalanced();
  auto rows = [&](uint64_t seed, uint32_t epoch) { return draw_epoch(data.rows, data.labels, {0.5f, 0}, seed, epoch).rows; };
  EXPECT_EQ(rows(1, 2), rows(1, 2));
  EXPECT_NE(rows(1, 2), rows(1, 3));
  EXPECT_NE(rows(1, 2), rows(2, 2));
}

TEST(SamplingTest, CountsRepeatsAndStrengthensRareClasses) {
  const Data data = imbalanced();
  const EpochOrder order = draw_epoch(data.rows, data.labels, {1, 2}, 3, 0);
  const double mean = static_cast<double>(data.rows.size()) / static_cast<double>(kCounts.size());
  std::map<uint32_t, uint32_t> drawn;
  for (size_t i = 0; i < order.rows.size(); ++i) {
    const uint32_t row = order.rows[i];
    EXPECT_EQ(order.variants[i].repeat, drawn[row]++);
    EXPECT_NEAR(order.variants[i].strength, 1 + 2 * std::max(0.0, 1 - kCounts[data.labels[row]] / mean), 1e-5);
  }
  EXPECT_GE(drawn.begin()->second, 1u);
}

// Four drawings of one image have its own batch statistics, and so its own loss, exactly where all are augmented alike.
TEST(SamplingTest, TrainerAugmentsRepeatsDifferently) {
  auto data = std::make_shared<DataSet>();
  data->size = 24;
  for (int i = 0; i < 24 * 24; ++i) data->images.push_back(static_cast<uint8_t>(128 + 100 * std::sin(0.37 * i)));
  data->labels = {2};
  Spec spec;
  spec.input_size = 24;
  spec.modules = {8, 8};
  auto loss = [&](float geometric, size_t drawings) {
    TrainerOptions options;
    options.batch_size = 4;
    options.augmentation.geometric = geometric;
    options.augmentation.rotation = 30;
    Trainer trainer(std::make_shared<Network>(spec, std::make_unique<cpu::CpuBackend>(1), 1), data, options);
    EpochRequest request;
    request.rows.assign(drawings, 0);
    request.learning_rates = {0.f};
    return trainer.train_epoch(request, std::atomic<bool>{false}, nullptr).loss_sum / static_cast<double>(drawings);
  };
  EXPECT_NEAR(loss(0, 4), loss(0, 1), 1e-5);
  EXPECT_GT(std::abs(loss(1, 4) - loss(1, 1)), 1e-3);
}

}  // namespace
}  // namespace fer
