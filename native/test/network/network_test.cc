// Whole networks against PyTorch: logits, the loss of every step, gradients of the first and weights after the last.
// The cases, options included, come from fixtures/network.txt; scripts/fixtures/network.py made them.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include "base/philox.h"
#include "cpu/cpu_backend.h"
#include "network/trainer.h"
#include "test/backends.h"
#include "test/network/small_teacher.h"
#include "test/setting.h"

namespace fer {
namespace {

struct Samples {
  std::string name;
  double deviation = 0, norm = 0;  // deviation: root mean square of float32 PyTorch's difference
  std::vector<std::pair<size_t, double>> values;
};

struct Case {
  std::string name;
  Spec spec;
  int batch = 0, steps = 0;
  float learning_rate = 0;
  TrainerOptions options;
  std::vector<double> logits, losses, deviations;
  std::vector<Samples> gradients, tensors;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

Samples read_samples(std::istream& in) {
  Samples s;
  size_t count;
  in >> s.name >> s.deviation >> s.norm >> count;
  s.values.resize(count);
  for (auto& [at, value] : s.values) in >> at >> value;
  return s;
}

std::vector<double> read_numbers(std::istream& in) {
  std::vector<double> numbers;
  for (double v; in >> v;) numbers.push_back(v);
  return numbers;
}

Case read_case(std::istream& in) {
  Case c;
  std::string optimizer;
  size_t modules, weights;
  in >> c.name >> c.spec.stem[0] >> c.spec.stem[1] >> modules;
  c.spec.modules.resize(modules);
  for (int& m : c.spec.modules) in >> m;
  TrainerOptions& o = c.options;
  in >> c.spec.input_size >> c.batch >> optimizer >> c.learning_rate >> c.steps >> o.label_smoothing >> o.clip_norm >> o.nesterov >> o.weight_decay >>
      weights;
  o.optimizer = optimizer == "sgd" ? OptimizerKind::kSgd : optimizer == "adam" ? OptimizerKind::kAdam : OptimizerKind::kAdamW;
  o.batch_size = c.batch;
  o.class_weights.resize(weights);
  for (float& w : o.class_weights) in >> w;
  return c;
}

std::vector<Case> read_cases() {
  std::ifstream file(fixture("network.txt"));
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::string kind;
    in >> kind;
    if (kind == "case") cases.push_back(read_case(in));
    else if (kind == "logits") cases.back().logits = read_numbers(in);
    else if (kind == "losses") cases.back().losses = read_numbers(in);
    else if (kind == "deviations") cases.back().deviations = read_numbers(in);
    else if (kind == "gradient") cases.back().gradients.push_back(read_samples(in));
    else if (kind == "tensor") cases.back().tensors.push_back(read_samples(in));
  }
  return cases;
}

std::shared_ptr<DataSet> noise(int count, int size) {
  auto data = std::make_shared<DataSet>();
  data->size = size;
  data->images.resize(static_cast<size_t>(count) * size * size);
  for (size_t i = 0; i < data->images.size(); ++i) data->images[i] = philox(99, {static_cast<uint32_t>(i), 0, 0, 0})[0] >> 24;
  data->labels.resize(count);
  for (int i = 0; i < count; ++i) data->labels[i] = philox(98, {static_cast<uint32_t>(i), 0, 0, 0})[0] % 7;
  return data;
}

// A float32 run may stray as PyTorch's own float32 run does, and as the CPU's do in other orders, times a margin for luck, and by `floor` of a
// typical element: one pixel whose maximum or ReLU falls the other way moves a wide network's gradients by a few thousandths.
constexpr double kMargin = 8;
constexpr int kTold = 4;  // steps at least whose losses tell a right run from a wrong one

// Of a step's loss. Sums in another order make a maximum or a ReLU fall the other way sooner or later (one did at the fifth step,
// by 4e-5), and training multiplies that tenfold in two steps until it settles at a few hundredths.
double stray(int step) { return step == 0 ? 2e-5 : step < 4 ? 2e-4 * step : 4e-3 * step; }

// The loss of every step on a device.
std::vector<double> losses_of(std::unique_ptr<Backend> backend, const Case& c) {
  auto network = std::make_shared<Network>(c.spec, std::move(backend), 7);
  Trainer trainer(network, noise(3 * c.batch, c.spec.input_size), c.options);
  const std::atomic<bool> never{false};
  std::vector<double> losses;
  EpochRequest request;
  for (; static_cast<int>(request.epoch) < c.steps; ++request.epoch) {
    request.rows.clear();
    for (int i = 0; i < c.batch; ++i) request.rows.push_back(request.epoch % 3 * c.batch + i);
    request.learning_rates = {c.learning_rate};
    const EpochTotals totals = trainer.train_epoch(request, never, nullptr);
    losses.push_back(totals.loss_sum / static_cast<double>(totals.seen));
  }
  return losses;
}

// How far the losses of right runs may be apart: the CPU's, whose sums come in another order with every number of threads.
const std::vector<double>& drift(const Case& c) {
  static std::map<std::string, std::vector<double>> known;
  const auto [at, added] = known.try_emplace(c.name, c.steps);
  if (!added) return at->second;
  std::vector<std::vector<double>> runs;
  for (const int threads : {1, 2, 3}) runs.push_back(losses_of(std::make_unique<cpu::CpuBackend>(threads), c));
  for (int step = 0; step < c.steps; ++step)
    for (const auto& a : runs)
      for (const auto& b : runs) at->second[step] = std::max(at->second[step], std::abs(a[step] - b[step]));
  return at->second;
}

void expect_samples(const Samples& expected, const std::vector<float>& actual, double floor, const std::string& what) {
  double square = 0;
  for (float v : actual) square += double{v} * v;
  const double count = static_cast<double>(actual.size()), typical = expected.norm / std::sqrt(count);
  const double allowed = kMargin * expected.deviation + floor * typical + 1e-7;
  EXPECT_NEAR(std::sqrt(square / count), typical, allowed) << what << " norm of " << expected.name;
  for (const auto& [at, value] : expected.values) EXPECT_NEAR(actual[at], value, 2 * allowed) << what << ' ' << expected.name << '[' << at << ']';
}

class NetworkTest : public testing::TestWithParam<std::tuple<TestBackend, Case>> {};

TEST_P(NetworkTest, MatchesPyTorch) {
  const auto& [device, c] = GetParam();
  const auto data = noise(3 * c.batch, c.spec.input_size);
  auto network = std::make_shared<Network>(c.spec, device.make(), 7);

  const std::vector<uint32_t> first = {0, 1};
  const std::vector<float> logits = network->infer(data->images.data(), data->size, first.data(), 2, false);
  ASSERT_EQ(logits.size(), c.logits.size());
  for (size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], c.logits[i], 1e-5 + 1e-4 * std::abs(c.logits[i]));

  Trainer trainer(network, data, c.options);
  const std::atomic<bool> never{false};
  double strayed = 0;
  bool chaos = false;
  for (int step = 0; step < c.steps; ++step) {
    EpochRequest request;
    request.epoch = step;
    for (int i = 0; i < c.batch; ++i) request.rows.push_back(step % 3 * c.batch + i);
    request.learning_rates = {c.learning_rate};
    const EpochTotals totals = trainer.train_epoch(request, never, nullptr);
    strayed = std::max({strayed, c.deviations[step], drift(c)[step]});
    // The allowance grows with the loss: some cases climb to 60, where a step multiplies every rounding error tenfold. Once right runs
    // are half of the loss apart, a loss proves nothing any more, and neither do those that follow.
    const double allowed = kMargin * strayed + stray(step) * std::max(1.0, c.losses[step] / 2);
    chaos = chaos || allowed > c.losses[step] / 2;
    EXPECT_FALSE(chaos && step < kTold) << "step " << step << ": right runs are apart too early";
    if (!chaos) {
      EXPECT_NEAR(totals.loss_sum / static_cast<double>(totals.seen), c.losses[step], allowed) << "step " << step;
    }
    if (step > 0 || c.options.clip_norm > 0) continue;  // clipping scales the gradients in place
    for (const Samples& s : c.gradients) expect_samples(s, network->read_from(trainer.gradients(), network->tensor(s.name)), 4e-3, "gradient");
  }
  for (const Samples& s : c.tensors) expect_samples(s, network->read(network->tensor(s.name)), 5e-3, "weight");
}

constexpr double kAgreement = 0.05;

// Loss after moving along the gradient of one tensor against the gradient's own norm: needs no reference implementation.
class GradientTest : public testing::TestWithParam<TestBackend> {};

TEST_P(GradientTest, AgreesWithFiniteDifferencesInEveryTensor) {
  Spec spec;
  spec.stem[0] = 5;
  spec.stem[1] = 3;
  spec.modules = {7, 12};
  for (int size : {20, 23}) {
    if (size == 20 && GetParam().most_multiply_adds < INFINITY) continue;  // the slow device takes the odd size
    spec.input_size = size;
    const auto data = noise(12, size);
    auto network = std::make_shared<Network>(spec, GetParam().make(), 3);
    TrainerOptions options;
    options.batch_size = 12;
    options.label_smoothing = 0.1f;
    options.distillation = 0.6f;
    options.temperature = 2;
    const SmallTeacher teacher;
    const TeacherWeights teachers[] = {teacher.weights};
    // At one size from labels alone, at the other from a teacher, too.
    Trainer trainer(network, data, options, size == 20 ? std::span<const TeacherWeights>() : teachers);
    const std::atomic<bool> never{false};
    EpochRequest request;
    for (uint32_t row = 0; row < 12; ++row) request.rows.push_back(row);
    request.learning_rates = {0.f};  // leaves the weights where they are
    auto loss = [&] { return trainer.train_epoch(request, never, nullptr).loss_sum / 12; };
    loss();
    std::vector<std::vector<float>> gradients;
    for (const TensorInfo& t : network->plan().tensors)
      gradients.push_back(t.trainable ? network->read_from(trainer.gradients(), t) : std::vector<float>{});
    for (size_t i = 0; i < gradients.size(); ++i) {
      const TensorInfo& t = network->plan().tensors[i];
      if (!t.trainable) continue;
      double square = 0;
      for (float g : gradients[i]) square += double{g} * g;
      const double norm = std::sqrt(square);
      ASSERT_GT(norm, 1e-6) << t.name;
      const std::vector<float> start = network->read(t);
      // A ReLU or maximum that switches between the two points spoils one step, rounding another: a right gradient agrees at
      // one of them at least, a wrong one at none.
      double closest = INFINITY;
      for (double loss_change : {2e-3, 5e-4, 2e-4, 5e-5, 2e-5}) {
        const double step = loss_change / std::max(norm, 0.05);
        double moved[2];
        for (int sign : {0, 1}) {
          std::vector<float> values = start;
          for (size_t k = 0; k < values.size(); ++k) values[k] += static_cast<float>((sign ? step : -step) * gradients[i][k] / norm);
          network->write(t, values);
          moved[sign] = loss();
        }
        closest = std::min(closest, std::abs((moved[1] - moved[0]) / (2 * step) / norm - 1));
        if (closest < kAgreement) break;
      }
      network->write(t, start);
      EXPECT_LT(closest, kAgreement) << t.name << " at size " << size << ", gradient norm " << norm;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, GradientTest, testing::ValuesIn(network_backends()), [](const auto& info) { return info.param.name; });

std::vector<std::tuple<TestBackend, Case>> runs() {
  std::vector<std::tuple<TestBackend, Case>> all;
  for (const TestBackend& d : network_backends())
    for (const Case& c : read_cases())
      if (static_cast<double>(make_plan(c.spec, 8).multiply_adds) * c.batch * c.steps < d.most_multiply_adds) all.emplace_back(d, c);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, NetworkTest, testing::ValuesIn(runs()), [](const auto& info) {
  std::string name = std::get<0>(info.param).name + '_' + std::get<1>(info.param).name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace fer
