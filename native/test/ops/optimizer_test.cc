// Optimisers, clipping and averaged weights beside PyTorch's values of fixtures/optimizers.txt (scripts/fixtures/optimizers.py), step
// by step.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "buffer.h"
#include "test/backends.h"
#include "test/bits.h"
#include "test/setting.h"

namespace fer {
namespace {

struct Step {
  float rate = 0;
  std::vector<float> gradients, parameters, average;
};

struct Recipe {
  std::string name;
  OptimizerRule rule{};
  float ema_decay = 0;
  std::vector<float> parameters;
  std::vector<Step> steps;
};
std::ostream& operator<<(std::ostream& out, const Recipe& recipe) { return out << recipe.name; }

std::vector<Recipe> read_recipes() {
  std::ifstream file(fixture("optimizers.txt"));
  std::vector<Recipe> recipes;
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::string kind;
    in >> kind;
    if (kind == "case") {
      Recipe& r = recipes.emplace_back();
      std::string optimizer;
      in >> r.name >> optimizer >> r.rule.momentum >> r.rule.weight_decay >> r.rule.beta1 >> r.rule.beta2 >> r.rule.epsilon >> r.rule.nesterov >>
          r.rule.clip_norm >> r.ema_decay;
      r.rule.kind = optimizer == "sgd" ? OptimizerKind::kSgd : optimizer == "adam" ? OptimizerKind::kAdam : OptimizerKind::kAdamW;
      r.rule.averages = true;
      continue;
    }
    std::vector<float> values;
    for (float v; in >> v;) values.push_back(v);
    Recipe& r = recipes.back();
    if (kind == "rate") r.steps.emplace_back().rate = values[0];
    else if (kind == "gradients") r.steps.back().gradients = values;
    else if (kind == "average") r.steps.back().average = values;
    else (r.steps.empty() ? r.parameters : r.steps.back().parameters) = values;
  }
  return recipes;
}

class OptimizerOpTest : public testing::TestWithParam<std::tuple<TestBackend, Recipe>> {
 protected:
  void TearDown() override {
    RecordProperty("worst", (std::ostringstream() << worst_).str());
    bits_.record();
  }
  void expect_close(const Buffer<float>& memory, const std::vector<float>& expected, const std::string& what) {
    std::vector<float> actual(memory.count());
    backend->download(actual.data(), memory.data(), memory.bytes());
    bits_.add(actual);
    for (size_t i = 0; i < expected.size(); ++i) {
      worst_ = std::max(worst_, std::abs(double{actual[i]} - expected[i]) / (1 + std::abs(expected[i])));
      ASSERT_NEAR(actual[i], expected[i], 1e-6 * (1 + std::abs(expected[i]))) << what << '[' << i << ']';
    }
  }
  std::unique_ptr<Backend> backend = std::get<0>(GetParam()).make();
  double worst_ = 0;
  Bits bits_;
};

TEST_P(OptimizerOpTest, StepsAsPyTorchDoes) {
  const Recipe& r = std::get<1>(GetParam());
  const size_t count = r.parameters.size();
  Buffer<float> parameters(*backend, count), gradients(*backend, count), moment1(*backend, count), moment2(*backend, count), average(*backend, count),
      statistics(*backend, count);
  Buffer<StepState> state(*backend, 1);
  for (const Buffer<float>* memory : {&parameters, &average, &statistics}) backend->upload(memory->data(), r.parameters.data(), memory->bytes());
  for (size_t i = 0; i < r.steps.size(); ++i) {
    const Step& step = r.steps[i];
    const double t = static_cast<double>(i) + 1;
    const StepState now{.index = static_cast<int32_t>(i),
                        .begin = 0,
                        .epoch = 0,
                        .learning_rate = step.rate,
                        .correction1 = static_cast<float>(1 - std::pow(double{r.rule.beta1}, t)),
                        .correction2 = static_cast<float>(std::sqrt(1 - std::pow(double{r.rule.beta2}, t))),
                        .ema_decay = r.ema_decay,
                        .first = i == 0};
    backend->upload(state.data(), &now, sizeof now);
    backend->upload(gradients.data(), step.gradients.data(), gradients.bytes());
    backend->run(Optimize{.rule = r.rule,
                          .step = state.data(),
                          .count = count,
                          .parameters = parameters.data(),
                          .gradients = gradients.data(),
                          .moment1 = moment1.data(),
                          .moment2 = moment2.data(),
                          .average = average.data()});
    backend->run(UpdateAverage{.step = state.data(), .count = count, .values = parameters.data(), .average = statistics.data()});
    const std::string after = " after step " + std::to_string(i + 1);
    expect_close(parameters, step.parameters, "parameters" + after);
    expect_close(average, step.average, "averaged parameters" + after);
    expect_close(statistics, step.average, "the average that statistics have" + after);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, OptimizerOpTest, testing::Combine(testing::ValuesIn(op_backends()), testing::ValuesIn(read_recipes())),
                         [](const auto& info) { return std::get<0>(info.param).name + '_' + std::get<1>(info.param).name; });

}  // namespace
}  // namespace fer
