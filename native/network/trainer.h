// The training step and the epoch: one call trains an epoch, on the thread that calls it.
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>

#include "data/augment.h"
#include "data/data_set.h"
#include "data/sampling.h"
#include "network/network.h"
#include "network/teacher.h"

namespace fer {

struct TrainerOptions {
  int batch_size = 40;
  OptimizerKind optimizer = OptimizerKind::kSgd;
  float momentum = 0.9f, weight_decay = 0, beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
  bool nesterov = false;
  float clip_norm = 0, label_smoothing = 0, ema_decay = 0;
  std::vector<float> class_weights;
  float distillation = 0, temperature = 1;  // the share of the teachers in the loss, and how soft they speak
  uint64_t seed = 0;
  Augmentation augmentation;
  Sampling sampling;
};

struct EpochTotals {
  double loss_sum = 0;
  int64_t correct = 0, seen = 0, step = 0;
};

struct EpochRequest {
  uint32_t epoch = 0;
  std::vector<uint32_t> rows;
  std::vector<float> learning_rates;  // one a step
  std::vector<uint8_t> labels = {};   // of this epoch, one an image of the data set; empty: the data set's own
  EpochTotals from;
};

class Trainer {
 public:
  // `teachers`: read while it is made. Throws ERR_FER_ARGUMENT for a data set or options that do not fit the network or one another,
  // ERR_FER_MODEL_FORMAT for weights that do not fit a teacher, ERR_FER_OUT_OF_MEMORY.
  Trainer(std::shared_ptr<Network> network, std::shared_ptr<const DataSet> data, const TrainerOptions& options,
          std::span<const TeacherWeights> teachers = {});

  // Stops after the running step once `cancelled` is true; `progress` is called after each step (on an asynchronous device,
  // now and then). Before each step `pause` may let others use the network and its device. Throws ERR_FER_ARGUMENT for a request that no
  // epoch of this trainer can have come to.
  EpochTotals train_epoch(
      const EpochRequest& request, const std::atomic<bool>& cancelled, const std::function<void(const EpochTotals&)>& progress,
      const std::function<void()>& pause = [] {});

  Network& network() { return *network_; }
  const TrainerOptions& options() const { return options_; }
  int64_t step_count() const { return step_count_; }
  // Throws ERR_FER_ARGUMENT below 0.
  void set_step_count(int64_t steps);

  // Optimiser and average memory, laid out as the network's parameters (and statistics for the last).
  float* moment1() const { return moment1_.data(); }
  float* moment2() const { return moment2_.data(); }  // null for SGD
  float* average() const { return average_.data(); }  // null without averaging
  float* average_statistics() const { return average_statistics_.data(); }
  float* gradients() const { return gradients_.data(); }
  void copy_average_to(Network& other);
  size_t bytes() const;

 private:
  int64_t steps_for(size_t rows) const { return static_cast<int64_t>((rows + options_.batch_size - 1) / options_.batch_size); }
  void begin_epoch(const EpochRequest& request, const EpochOrder& order);
  void check_options(std::span<const TeacherWeights> teachers) const;
  void check_labels(const std::vector<uint8_t>& labels) const;
  void check_memory(std::span<const TeacherWeights> teachers) const;
  void check(const EpochRequest& request) const;
  std::vector<Op> step(int n);

  std::shared_ptr<Network> network_;
  std::shared_ptr<const DataSet> data_;
  TrainerOptions options_;
  std::unique_ptr<Pass> pass_;
  std::vector<std::unique_ptr<Teacher>> teachers_;
  Buffer<uint8_t> images_, labels_;
  Buffer<uint32_t> order_;
  Buffer<Variant> variants_;
  Buffer<StepState> schedule_, now_;
  Buffer<LossTotals> totals_;
  Buffer<float> class_weights_, targets_, gradients_, moment1_, moment2_, average_, average_statistics_;
  std::vector<BatchNorm> norms_;
  std::map<int, std::unique_ptr<Program>> programs_;  // the step, by batch size
  std::atomic<int64_t> step_count_ = 0;               // asked for while an epoch runs
};

}  // namespace fer
