#include "core/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"

namespace fer {
namespace {

constexpr auto kReportInterval = std::chrono::milliseconds(50);
constexpr size_t kReductionScratch = size_t{24} << 20;  // partial sums of the widest layers, whatever the batch

// The largest activation gradient any op writes: dx of a module's convolutions, or of the stem's second one.
size_t largest_gradient(const Plan& plan) {
  const ConvolutionLayer& stem = plan.stem[1];
  size_t largest = static_cast<size_t>(stem.in_size) * stem.in_size * stem.in_channels;
  for (const ModuleLayer& m : plan.modules)
    largest = std::max(largest, static_cast<size_t>(m.in_size) * m.in_size * std::max(m.in_channels, m.out_channels));
  return largest;
}

}  // namespace

Trainer::Trainer(std::shared_ptr<Network> network, std::shared_ptr<const DataSet> data, const TrainerOptions& options)
    : network_(std::move(network)), data_(std::move(data)), options_(options) {
  const Plan& plan = network_->plan();
  Backend& backend = network_->backend();
  images_ = Buffer<uint8_t>(backend, data_->images.size());
  backend.upload(images_.data(), data_->images.data(), data_->images.size());
  labels_ = Buffer<uint8_t>(backend, data_->labels.size());
  backend.upload(labels_.data(), data_->labels.data(), data_->labels.size());
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
  const size_t gradient = largest_gradient(plan);
  size_t shortcut = 0;
  for (const ModuleLayer& m : plan.modules) shortcut = std::max(shortcut, static_cast<size_t>(m.out_size) * m.out_size * m.in_channels);

  // Asked beforehand, because only here is it known what a smaller batch would need. A backend's scratch holds two more gradients.
  const size_t image = Activations(backend, plan, 1, true).bytes() + sizeof(float) * (5 * gradient + shortcut + plan.classes_padded);
  const size_t free = backend.free_bytes(), for_batch = free > kReductionScratch ? free - kReductionScratch : 0;
  if (image * options.batch_size > for_batch)
    throw Error("ERR_FER_OUT_OF_MEMORY", "a batch of " + std::to_string(options.batch_size) + " images needs about " +
                                             std::to_string(image * options.batch_size) + " bytes beside the weights and the data set, and " +
                                             std::to_string(free) + " are free on " + backend.description() + ": the largest batch that fits is " +
                                             std::to_string(for_batch / image));
  activations_ = Activations(backend, plan, options.batch_size, true);
  for (Buffer<float>& buffer : upstream_) buffer = Buffer<float>(backend, gradient * options.batch_size);
  shortcut_gradient_ = Buffer<float>(backend, shortcut * options.batch_size);
  d_logits_ = Buffer<float>(backend, static_cast<size_t>(plan.classes_padded) * options.batch_size);
  norms_ = network_->batch_norms(gradients_.data());
}

EpochTotals Trainer::train_epoch(const EpochRequest& request, const std::atomic<bool>& cancelled,
                                 const std::function<void(const EpochTotals&)>& progress) {
  const EpochOrder order = draw_epoch(request.rows, data_->labels, options_.sampling, options_.seed, request.epoch);
  const auto steps = static_cast<int64_t>((order.rows.size() + options_.batch_size - 1) / options_.batch_size);
  if (static_cast<int64_t>(request.learning_rates.size()) != steps)
    throw Error("ERR_FER_ARGUMENT",
                "expected " + std::to_string(steps) + " learning rates, got " + std::to_string(request.learning_rates.size()) + ", for an epoch");
  Backend& backend = network_->backend();
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
    const int n = static_cast<int>(std::min<size_t>(options_.batch_size, order.rows.size() - totals.step * options_.batch_size));
    std::unique_ptr<Program>& program = programs_[n];
    if (!program) program = backend.record([this, n] { step(n); });
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
    schedule[i] = {static_cast<int32_t>(i),
                   static_cast<uint32_t>(i * o.batch_size),
                   request.epoch,
                   request.learning_rates[i],
                   static_cast<float>(1.0 - std::pow(static_cast<double>(o.beta1), t)),
                   static_cast<float>(std::sqrt(1.0 - std::pow(static_cast<double>(o.beta2), t))),
                   std::min(o.ema_decay, static_cast<float>(1 + t) / static_cast<float>(10 + t)),
                   t == 1};
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

void Trainer::step(int n) {
  Backend& backend = network_->backend();
  const Plan& plan = network_->plan();
  const TrainerOptions& o = options_;
  const AugmentPass pass{o.augmentation, o.seed, 0};
  const bool augments = o.augmentation.flip > 0 || o.augmentation.geometric > 0 || o.augmentation.photometric > 0 || o.augmentation.cutout > 0;
  const StepState* now = now_.data();
  const Batch batch{images_.data(), labels_.data(), data_->size, order_.data(), now, n, variants_.data()};
  backend.advance(schedule_.data(), now_.data());
  backend.gather(batch, augments ? &pass : nullptr, plan.spec.input_size, activations_.x);
  Network::forward(backend, plan, network_->parameters(), norms_, activations_, n, true);
  const HeadShape head{n, plan.head_size, plan.head_channels, plan.spec.classes, plan.classes_padded};
  backend.softmax_cross_entropy(head, activations_.logits, batch, {o.label_smoothing, class_weights_.data()}, d_logits_.data(), totals_.data());
  backward(n);
  const bool averages = o.ema_decay > 0;
  backend.optimize({o.optimizer, o.momentum, o.weight_decay, o.beta1, o.beta2, o.epsilon, o.nesterov, o.clip_norm, averages}, now,
                   plan.parameter_floats, network_->parameters(), gradients_.data(), moment1_.data(), moment2_.data(), average_.data());
  if (averages) backend.update_average(now, plan.statistic_floats, network_->statistics(), average_statistics_.data());
}

void Trainer::backward(int n) {
  Backend& backend = network_->backend();
  const Plan& plan = network_->plan();
  const float* p = network_->parameters();
  float* d = gradients_.data();
  const Activations& a = activations_;
  auto bn = [&](const BatchNormSlots& s) { return &norms_[s.index]; };
  // `g` holds the gradient of the module's output; `next` receives that of its input.
  float *g = upstream_[0].data(), *next = upstream_[1].data(), *middle = upstream_[2].data();

  backend.head_backward({n, plan.head_size, plan.head_channels, plan.spec.classes, plan.classes_padded}, d_logits_.data(), a.taps,
                        p + plan.head_weight, d + plan.head_weight, d + plan.head_bias, g);
  for (size_t i = plan.modules.size(); i-- > 0;) {
    const ModuleLayer& m = plan.modules[i];
    const Activations::Module& from = a.modules[i];
    const SeparableLayer &s1 = m.separable1, &s2 = m.separable2;
    BatchNorm* in_bn = i == 0 ? bn(plan.stem[1].bn) : nullptr;
    const View in = i == 0 ? View{a.stem_z[1], in_bn} : View{a.modules[i - 1].out, nullptr};
    backend.pool_add_backward({n, m.in_size, m.out_channels}, g, from.argmax, from.z2, bn(s2.bn), from.shortcut_z, bn(m.shortcut_bn));
    backend.separable_backward({n, s2.size, s2.in_channels, s2.out_channels}, {g, from.argmax, from.z2, bn(s2.bn)}, {from.z1, bn(s1.bn)}, bn(s1.bn),
                               from.d2, p + s2.depthwise, p + s2.pointwise, d + s2.depthwise, d + s2.pointwise, nullptr, middle);
    backend.shortcut_backward({n, m.in_size, m.in_channels, m.out_channels}, {g, nullptr, from.shortcut_z, bn(m.shortcut_bn)}, in, p + m.shortcut,
                              d + m.shortcut, shortcut_gradient_.data());
    backend.separable_backward({n, s1.size, s1.in_channels, s1.out_channels}, {middle, nullptr, from.z1, bn(s1.bn)}, in, in_bn, from.d1,
                               p + s1.depthwise, p + s1.pointwise, d + s1.depthwise, d + s1.pointwise, shortcut_gradient_.data(), next);
    std::swap(g, next);
  }
  const ConvolutionLayer &c2 = plan.stem[1], &c1 = plan.stem[0];
  backend.convolution_backward({n, c2.in_size, c2.in_channels, c2.out_channels}, {g, nullptr, a.stem_z[1], bn(c2.bn)}, {a.stem_z[0], bn(c1.bn)},
                               bn(c1.bn), p + c2.weight, d + c2.weight, next);
  backend.convolution_backward({n, c1.in_size, c1.in_channels, c1.out_channels}, {next, nullptr, a.stem_z[0], bn(c1.bn)}, {a.x, nullptr}, nullptr,
                               p + c1.weight, d + c1.weight, nullptr);
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
  size_t total = activations_.bytes() + images_.bytes();
  for (const Buffer<float>* b :
       {&gradients_, &moment1_, &moment2_, &average_, &average_statistics_, &upstream_[0], &upstream_[1], &upstream_[2], &shortcut_gradient_})
    total += b->bytes();
  return total;
}

}  // namespace fer
