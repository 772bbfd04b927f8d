// What a trainer refuses: a data set, options or an epoch that would be read or written beside the memory, or make figures of nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cpu/cpu_backend.h"
#include "network/trainer.h"
#include "test/failure.h"

namespace fer {
namespace {

std::shared_ptr<DataSet> four_images() {
  auto data = std::make_shared<DataSet>();
  data->size = 8;
  data->images.assign(4 * 64, 100);
  data->labels = {0, 1, 2, 0};
  return data;
}

std::shared_ptr<Network> network() {
  Spec spec;
  spec.stem[0] = spec.stem[1] = 2;
  spec.modules = {2};
  spec.classes = 3;
  spec.input_size = 8;
  return std::make_shared<Network>(spec, std::make_unique<cpu::CpuBackend>(1), 1);
}

std::string failure_of_trainer(const std::function<void(DataSet&, TrainerOptions&)>& change) {
  auto data = four_images();
  TrainerOptions options;
  change(*data, options);
  return failure_of([&] { Trainer(network(), data, options); });
}

TEST(TrainerRequestTest, DataSetsAndOptionsMustFit) {
  EXPECT_EQ(failure_of_trainer([](DataSet&, TrainerOptions&) {}), "nothing was thrown");
  EXPECT_EQ(failure_of_trainer([](DataSet& d, TrainerOptions&) { d.images.pop_back(); }),
            "ERR_FER_ARGUMENT: expected images of labels x size x size bytes, got 255 bytes for 4 labels of size 8, for a data set");
  EXPECT_EQ(failure_of_trainer([](DataSet& d, TrainerOptions&) { d.size = 0; }),
            "ERR_FER_ARGUMENT: expected 1 to 16384 pixels, got 0, for the side of a data set's images");
  // 2^30 x 2^30 x 16 bytes are 0 bytes to 64-bit arithmetic.
  EXPECT_EQ(failure_of_trainer([](DataSet& d, TrainerOptions&) {
              d.size = 1 << 30;
              d.images.clear();
              d.labels.assign(16, 0);
            }),
            "ERR_FER_ARGUMENT: expected 1 to 16384 pixels, got 1073741824, for the side of a data set's images");
  EXPECT_EQ(failure_of_trainer([](DataSet& d, TrainerOptions&) { d.images.clear(), d.labels.clear(); }),
            "ERR_FER_ARGUMENT: expected at least one image, got none, for a trainer's data set");
  EXPECT_EQ(failure_of_trainer([](DataSet& d, TrainerOptions&) { d.labels[2] = 3; }),
            "ERR_FER_ARGUMENT: expected labels below 3, got 3, for a trainer");
  EXPECT_EQ(failure_of_trainer([](DataSet&, TrainerOptions& o) { o.batch_size = 0; }),
            "ERR_FER_ARGUMENT: expected a batch size of at least 1, got 0, for a trainer");
  EXPECT_EQ(failure_of_trainer([](DataSet&, TrainerOptions& o) { o.class_weights = {1, 1}; }),
            "ERR_FER_ARGUMENT: expected 3 class weights, got 2, for a trainer");
}

TEST(TrainerRequestTest, AugmentationStaysWithinItsRanges) {
  EXPECT_EQ(failure_of_trainer([](DataSet&, TrainerOptions& o) { o.augmentation.rotation = std::nanf(""); }),
            "ERR_FER_ARGUMENT: expected a number from 0 to 180.000000, got nan, for rotation");
  EXPECT_EQ(failure_of_trainer([](DataSet&, TrainerOptions& o) { o.augmentation.zoom = 1; }),
            "ERR_FER_ARGUMENT: expected a number from 0 to 0.900000, got 1.000000, for zoom");
  EXPECT_EQ(failure_of_trainer([](DataSet&, TrainerOptions& o) { o.augmentation.zoom = 0.9f; }), "nothing was thrown");
}

std::string failure_of_epoch(const std::function<void(EpochRequest&)>& change, int64_t steps_taken = 1) {
  TrainerOptions options;
  options.batch_size = 3;
  Trainer trainer(network(), four_images(), options);
  EpochRequest request{.epoch = 0, .rows = {0, 1, 2, 3}, .learning_rates = {0.1f, 0.1f}, .from = {}};
  request.from = {.loss_sum = 3, .correct = 2, .seen = 3, .step = 1};
  change(request);
  return failure_of([&] {
    trainer.set_step_count(steps_taken);
    trainer.train_epoch(request, std::atomic<bool>{false}, nullptr);
  });
}

TEST(TrainerRequestTest, EpochsMustBeOnesThatTheTrainerCanHaveComeTo) {
  const std::string totals = ", for an epoch's totals";
  EXPECT_EQ(failure_of_epoch([](EpochRequest&) {}), "nothing was thrown");
  EXPECT_EQ(failure_of_epoch([](EpochRequest& r) { r.from.step = -1'000'000; }),
            "ERR_FER_ARGUMENT: expected a step of 0 to 2, got -1000000" + totals);
  EXPECT_EQ(failure_of_epoch([](EpochRequest& r) { r.from.step = 3; }), "ERR_FER_ARGUMENT: expected a step of 0 to 2, got 3" + totals);
  EXPECT_EQ(failure_of_epoch([](EpochRequest&) {}, 0), "ERR_FER_ARGUMENT: expected no more than the trainer's 0 steps, got 1" + totals);
  EXPECT_EQ(failure_of_epoch([](EpochRequest& r) { r.from.seen = 4; }), "ERR_FER_ARGUMENT: expected 3 images seen after step 1, got 4" + totals);
  EXPECT_EQ(failure_of_epoch([](EpochRequest& r) { r.from.correct = 4; }), "ERR_FER_ARGUMENT: expected 0 to 3 images right, got 4" + totals);
  for (double loss : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_EQ(failure_of_epoch([&](EpochRequest& r) { r.from.loss_sum = loss; }),
              "ERR_FER_ARGUMENT: expected a finite loss of at least 0, got " + std::to_string(loss) + totals);
  EXPECT_EQ(failure_of_epoch([](EpochRequest& r) { r.rows[1] = 4; }), "ERR_FER_ARGUMENT: expected rows below 4, got 4, for an epoch");
  EXPECT_EQ(failure_of_epoch([](EpochRequest& r) { r.rows.clear(), r.learning_rates.clear(); }),
            "ERR_FER_ARGUMENT: expected at least one row, got none, for an epoch");
  EXPECT_EQ(failure_of_epoch([](EpochRequest& r) { r.learning_rates.pop_back(); }),
            "ERR_FER_ARGUMENT: expected 2 learning rates, got 1, for an epoch");
  EXPECT_EQ(failure_of_epoch([](EpochRequest& r) { r.learning_rates[1] = std::nanf(""); }),
            "ERR_FER_ARGUMENT: expected a finite learning rate of at least 0, got nan, for an epoch");
  for (const auto& [steps, got] : {std::pair<int64_t, std::string>{-1, "-1"}, {INT64_MAX, "9223372036854775807"}})
    EXPECT_EQ(failure_of_epoch([](EpochRequest&) {}, steps),
              "ERR_FER_ARGUMENT: expected 0 to 9007199254740992 steps, got " + got + ", for a trainer's step count");
}

}  // namespace
}  // namespace fer
