#include "network/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/resources.h"

namespace fer {
namespace {

constexpr auto kReportInterval = std::chrono::milliseconds(50);
constexpr int64_t kMostSteps = int64_t{1} << 53;        // what a double counts one by one, as JavaScript and the bias corrections do
constexpr size_t kReductionScratch = size_t{24} << 20;  // partial sums of the widest layers, whatever the batch

// All that a checkpoint or a caller hands over comes by here: what it says wrong would be read or written beside the memory.
void expect(bool right, const std::string& expected, const std::string& got, const std::string& what) {
  if (!right) throw Error("ERR_FER_ARGUMENT", "expected " + expected + ", got " + got + ", for " + what);
}

}  // namespace

Trainer::Trainer(std::shared_ptr<Network> network, std::shared_ptr<const DataSet> data, const TrainerOptions& options,
                 std::span<const TeacherWeights> teachers)
    : network_(std::move(network)), data_(std::move(data)), options_(options) {
  check_options(teachers);
  const Plan& plan = network_->plan();
  Backend& backend = network_->backend();
  images_ = Buffer<uint8_t>(backend, data_->images.size());
  backend.upload(images_.data(), data_->images.data(), data_->images.size());
  labels_ = Buffer<uint8_t>(backend, data_->labels.size());
  now_ = Buffer<StepState>(backend, 1);
  totals_ = Buffer<LossTotals>(backend, 1);
  gradients_ = Buffer<float>(backend, plan.parameter_floats);
  moment1_ = Buffer<float>(backend, plan.parameter_floats);
  if (options.optimizer != OptimizerKind::kSgd) moment2_ = Buffer<float>(backend, plan.parameter_floats);
  if (options.ema_decay > 0) {
    average_ = Buffer<float>(backend, plan.parameter_floats);
    average_statistics_ = Buffer<float>(backend, plan.statistic_floats);
    backend.copy(average_.data(), network_->parameters(), average_.bytes());
    backend.copy(average_statistics_.data(), network_->statistics(), average_statistics_.bytes());
  }
  if (!options.class_weights.empty()) {
    class_weights_ = Buffer<float>(backend, options.class_weights.size());
    backend.upload(class_weights_.data(), options.class_weights.data(), class_weights_.bytes());
  }
  check_memory(teachers);
  pass_ = std::make_unique<Pass>(backend, plan, network_->fusion(), Purpose::kTraining, options.batch_size);
  norms_ = network_->batch_norms(gradients_.data());
  for (const TeacherWeights& weights : teachers)
    teachers_.push_back(std::make_unique<Teacher>(weights, network_->shared_backend(), options.batch_size));
  if (!teachers_.empty()) targets_ = Buffer<float>(backend, static_cast<size_t>(options.batch_size) * plan.values.back().padded);
}

void Trainer::check_options(std::span<const TeacherWeights> teachers) const {
  fer::check(*data_);
  expect(data_->count() > 0, "at least one image", "none", "a trainer's data set");
  const auto classes = static_cast<size_t>(network_->plan().spec.classes);
  fer::check(options_.augmentation);
  const auto [balance, rare] = options_.sampling;
  expect(balance >= 0 && balance <= 1, "a number from 0 to 1", std::to_string(balance), "balancedSampling");
  expect(rare >= 0 && rare <= 4, "a number from 0 to 4", std::to_string(rare), "rareAugmentation");
  expect(options_.batch_size >= 1, "a batch size of at least 1", std::to_string(options_.batch_size), "a trainer");
  const size_t weights = options_.class_weights.size();
  expect(weights == 0 || weights == classes, std::to_string(classes) + " class weights", std::to_string(weights), "a trainer");
  for (const TeacherWeights& teacher : teachers)
    expect(teacher.spec.classes == network_->plan().spec.classes, std::to_string(classes) + " classes", std::to_string(teacher.spec.classes),
           "a teacher");
  expect(options_.distillation >= 0 && options_.distillation <= 1, "a share from 0 to 1", std::to_string(options_.distillation), "distillation");
  expect(options_.temperature > 0 && std::isfinite(options_.temperature), "a number above 0", std::to_string(options_.temperature), "temperature");
  check_labels(data_->labels);
}

void Trainer::check_labels(const std::vector<uint8_t>& labels) const {
  const int highest = labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()), classes = network_->plan().spec.classes;
  expect(highest < classes, "labels below " + std::to_string(classes), std::to_string(highest), "a trainer");
}

// Asked beforehand, because only here is it known what a smaller batch would need.
void Trainer::check_memory(std::span<const TeacherWeights> teachers) const {
  const Backend& backend = network_->backend();
  const Plan& plan = network_->plan();
  const Fusion& fusion = network_->fusion();
  // A backend's scratch holds two gradients of an op.
  const size_t scratch = 2 * sizeof(float) * Pass::largest_gradient(plan, fusion);
  size_t image = Pass::bytes_an_image(backend, plan, fusion, Purpose::kTraining) + scratch;
  for (const TeacherWeights& teacher : teachers) image += Teacher::bytes_an_image(backend, teacher.spec);
  const size_t validation = Pass::bytes_an_image(backend, plan, fusion, Purpose::kInference) * backend.inference_batch() * backend.lanes();
  // Weights and the optimiser's state are copied to be saved, here and for JavaScript; packed weights are copies, too. They lie in the
  // host's memory.
  const size_t copies = backend.asynchronous() ? 0 : 2 * (2 * gradients_.bytes() + moment1_.bytes() + moment2_.bytes() + average_.bytes());
  const size_t free = backend.free_bytes(), beside = kReductionScratch + validation + copies, for_batch = free > beside ? free - beside : 0;
  if (image * options_.batch_size > for_batch)
    throw Error("ERR_FER_OUT_OF_MEMORY", "a batch of " + std::to_string(options_.batch_size) + " images needs about " +
                                             megabytes(image * options_.batch_size) + " beside the weights and the data set, and " +
                                             megabytes(for_batch) + " are free on " + backend.description() + ": the largest batch that fits is " +
                                             std::to_string(for_batch / image));
}

void Trainer::check(const EpochRequest& request) const {
  const size_t rows = request.rows.size(), rates = request.learning_rates.size();
  const int64_t steps = steps_for(rows);
  expect(rows > 0, "at least one row", "none", "an epoch");
  expect(static_cast<int64_t>(rates) == steps, std::to_string(steps) + " learning rates", std::to_string(rates), "an epoch");
  const auto usable = [](float rate) { return std::isfinite(rate) && rate >= 0; };
  const auto bad = std::find_if_not(request.learning_rates.begin(), request.learning_rates.end(), usable);
  if (bad != request.learning_rates.end()) expect(false, "a finite learning rate of at least 0", std::to_string(*bad), "an epoch");
  const size_t labels = request.labels.size();
  expect(labels == 0 || labels == data_->count(), std::to_string(data_->count()) + " labels", std::to_string(labels), "an epoch");
  check_labels(request.labels);
  const uint32_t highest = *std::max_element(request.rows.begin(), request.rows.end());
  expect(highest < data_->count(), "rows below " + std::to_string(data_->count()), std::to_string(highest), "an epoch");
  const auto& [loss_sum, correct, seen, step] = request.from;
  expect(step >= 0 && step <= steps, "a step of 0 to " + std::to_string(steps), std::to_string(step), "an epoch's totals");
  expect(step <= step_count(), "no more than the trainer's " + std::to_string(step_count()) + " steps", std::to_string(step), "an epoch's totals");
  const auto images = static_cast<int64_t>(std::min<size_t>(static_cast<size_t>(step) * options_.batch_size, rows));
  expect(seen == images, std::to_string(images) + " images seen after step " + std::to_string(step), std::to_string(seen), "an epoch's totals");
  expect(correct >= 0 && correct <= seen, "0 to " + std::to_string(seen) + " images right", std::to_string(correct), "an epoch's totals");
  expect(std::isfinite(loss_sum) && loss_sum >= 0, "a finite loss of at least 0", std::to_string(loss_sum), "an epoch's totals");
}

EpochTotals Trainer::train_epoch(const EpochRequest& request, const std::atomic<bool>& cancelled,
                                 const std::function<void(const EpochTotals&)>& progress, const std::function<void()>& pause) {
  check(request);
  const std::vector<uint8_t>& labels = request.labels.empty() ? data_->labels : request.labels;
  const EpochOrder order = draw_epoch(request.rows, labels, options_.sampling, options_.seed, request.epoch);
  const int64_t steps = steps_for(order.rows.size());
  Backend& backend = network_->backend();
  backend.upload(labels_.data(), labels.data(), labels.size());
  begin_epoch(request, order);
  EpochTotals totals = request.from;
  auto read_sums = [&] {
    LossTotals sums;
    backend.download(&sums, totals_.data(), sizeof sums);
    totals.loss_sum = sums.loss_sum;
    totals.correct = sums.correct;
  };
  auto next_report = std::chrono::steady_clock::now() + kReportInterval;
  while (totals.step < steps && !cancelled) {
    pause();
    const int n = static_cast<int>(std::min<size_t>(options_.batch_size, order.rows.size() - totals.step * options_.batch_size));
    std::unique_ptr<Program>& program = programs_[n];
    if (!program) program = backend.record(step(n));
    program->run();
    totals.seen += n;
    ++totals.step;
    ++step_count_;
    // Reading the sums makes an asynchronous device wait, so it is asked less often.
    if (!progress || (backend.asynchronous() && std::chrono::steady_clock::now() < next_report)) continue;
    read_sums();
    progress(totals);
    next_report = std::chrono::steady_clock::now() + kReportInterval;
  }
  read_sums();
  return totals;
}

// Everything the steps will read, in device memory before the first of them.
void Trainer::begin_epoch(const EpochRequest& request, const EpochOrder& order) {
  Backend& backend = network_->backend();
  const TrainerOptions& o = options_;
  std::vector<StepState> schedule(request.learning_rates.size());
  for (size_t i = 0; i < schedule.size(); ++i) {
    const auto t = static_cast<double>(step_count_ + 1 + static_cast<int64_t>(i) - request.from.step);
    // The average warms up, so that neither the random start nor its unit variances linger in it.
    schedule[i] = {.index = static_cast<int32_t>(i),
                   .begin = static_cast<uint32_t>(i * o.batch_size),
                   .epoch = request.epoch,
                   .learning_rate = request.learning_rates[i],
                   .correction1 = static_cast<float>(1.0 - std::pow(static_cast<double>(o.beta1), t)),
                   .correction2 = static_cast<float>(std::sqrt(1.0 - std::pow(static_cast<double>(o.beta2), t))),
                   .ema_decay = std::min(o.ema_decay, static_cast<float>(1 + t) / static_cast<float>(10 + t)),
                   .first = t == 1};
  }
  const size_t count = order.rows.size();
  if (order_.count() < count || schedule_.count() < schedule.size()) {
    programs_.clear();  // they hold the old addresses
    order_ = Buffer<uint32_t>(backend, count);
    variants_ = Buffer<Variant>(backend, count);
    schedule_ = Buffer<StepState>(backend, schedule.size());
  }
  backend.upload(order_.data(), order.rows.data(), count * sizeof(uint32_t));
  backend.upload(variants_.data(), order.variants.data(), count * sizeof(Variant));
  backend.upload(schedule_.data(), schedule.data(), schedule.size() * sizeof(StepState));
  StepState before{};
  before.index = static_cast<int32_t>(request.from.step) - 1;
  backend.upload(now_.data(), &before, sizeof before);
  const LossTotals sums{request.from.loss_sum, request.from.correct};
  backend.upload(totals_.data(), &sums, sizeof sums);
}

std::vector<Op> Trainer::step(int n) {
  const Plan& plan = network_->plan();
  const TrainerOptions& o = options_;
  const Weights weights{.parameters = network_->parameters(), .gradients = gradients_.data(), .norms = norms_};
  const StepState* now = now_.data();
  const Batch batch{.images = images_.data(),
                    .labels = labels_.data(),
                    .size = data_->size,
                    .order = order_.data(),
                    .step = now,
                    .n = n,
                    .variants = variants_.data()};
  std::vector<Op> ops;
  auto append = [&](const std::vector<Op>& more) { ops.insert(ops.end(), more.begin(), more.end()); };

  ops.emplace_back(Advance{.schedule = schedule_.data(), .now = now_.data()});
  const Gather gather{
      .batch = batch,
      .augments = o.augmentation.flip > 0 || o.augmentation.geometric > 0 || o.augmentation.photometric > 0 || o.augmentation.cutout > 0,
      .pass = {.options = o.augmentation, .seed = o.seed, .epoch = 0},
      .out_size = plan.spec.input_size,
      .x = pass_->input()};
  const int classes = plan.spec.classes, padded = plan.values.back().padded;
  for (const auto& teacher : teachers_) {
    append(teacher->ops(gather));
    ops.emplace_back(Soften{.n = n,
                            .classes = classes,
                            .padded = padded,
                            .logits = teacher->logits(),
                            .temperature = o.temperature,
                            .share = 1.f / static_cast<float>(teachers_.size()),
                            .first = teacher == teachers_.front(),
                            .probabilities = targets_.data()});
  }
  ops.emplace_back(gather);
  append(pass_->forward(weights, n, true));
  ops.emplace_back(
      SoftmaxCrossEntropy{.classes = classes,
                          .padded = padded,
                          .logits = pass_->logits(),
                          .batch = batch,
                          .options = {.label_smoothing = o.label_smoothing,
                                      .class_weights = class_weights_.data(),
                                      .distillation = {.targets = targets_.data(), .share = o.distillation, .temperature = o.temperature}},
                          .d_logits = pass_->d_logits(),
                          .totals = totals_.data()});
  append(pass_->backward(weights, n, {}));
  const bool averages = o.ema_decay > 0;
  ops.emplace_back(Optimize{.rule = {.kind = o.optimizer,
                                     .momentum = o.momentum,
                                     .weight_decay = o.weight_decay,
                                     .beta1 = o.beta1,
                                     .beta2 = o.beta2,
                                     .epsilon = o.epsilon,
                                     .nesterov = o.nesterov,
                                     .clip_norm = o.clip_norm,
                                     .averages = averages},
                            .step = now,
                            .count = plan.parameter_floats,
                            .parameters = network_->parameters(),
                            .gradients = gradients_.data(),
                            .moment1 = moment1_.data(),
                            .moment2 = moment2_.data(),
                            .average = average_.data()});
  if (averages)
    ops.emplace_back(
        UpdateAverage{.step = now, .count = plan.statistic_floats, .values = network_->statistics(), .average = average_statistics_.data()});
  return ops;
}

void Trainer::set_step_count(int64_t steps) {
  expect(steps >= 0 && steps <= kMostSteps, "0 to " + std::to_string(kMostSteps) + " steps", std::to_string(steps), "a trainer's step count");
  step_count_ = steps;
}

void Trainer::copy_average_to(Network& other) {
  if (!average_.data()) throw Error("ERR_FER_ARGUMENT", "expected a trainer with emaDecay > 0, got 0, for copyAverageTo");
  if (other.plan().parameter_floats != average_.count() || other.plan().statistic_floats != average_statistics_.count())
    throw Error("ERR_FER_ARGUMENT", "expected a model of the same width, for copyAverageTo");
  // By way of the host: the two networks may live on different devices.
  auto move = [&](const Buffer<float>& from, float* to) {
    std::vector<float> values(from.count());
    network_->backend().download(values.data(), from.data(), from.bytes());
    other.backend().upload(to, values.data(), from.bytes());
  };
  move(average_, other.parameters());
  move(average_statistics_, other.statistics());
}

size_t Trainer::bytes() const {
  size_t total = pass_->bytes() + images_.bytes();
  for (const auto& teacher : teachers_) total += teacher->bytes();
  for (const Buffer<float>* b : {&targets_, &gradients_, &moment1_, &moment2_, &average_, &average_statistics_}) total += b->bytes();
  return total;
}

}  // namespace fer
