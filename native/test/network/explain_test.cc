// Gradients of a logit at every layer and Grad-CAM: against PyTorch's autograd (fixtures/explain.txt, made by
// scripts/fixtures/explain.py) and against finite differences of the logit itself.
#include "network/explain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/error.h"
#include "base/philox.h"
#include "test/backends.h"
#include "test/setting.h"

namespace fer {
namespace {

struct Samples {
  double norm = 0;
  std::vector<std::pair<size_t, double>> values;
};

struct Expected {
  std::string layer;
  bool guided;
  int size, channels;
  std::vector<Samples> tensors;  // activation, gradient, Grad-CAM
};

struct Case {
  std::string name;
  Spec spec;
  int target = -1;
  std::vector<double> logits;
  std::vector<Expected> layers;
};
std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.name; }

std::vector<Case> read_cases() {
  std::ifstream file(fixture("explain.txt"));
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::string kind;
    in >> kind;
    if (kind == "case") {
      Case& c = cases.emplace_back();
      size_t modules;
      in >> c.name >> c.spec.stem[0] >> c.spec.stem[1] >> modules;
      c.spec.modules.resize(modules);
      for (int& m : c.spec.modules) in >> m;
      in >> c.spec.input_size >> c.target;
    } else if (kind == "logits") {
      for (double v; in >> v;) cases.back().logits.push_back(v);
    } else if (kind == "layer") {
      Expected& e = cases.back().layers.emplace_back();
      in >> e.layer >> e.guided >> e.size >> e.channels;
    } else if (kind == "samples") {
      Samples& s = cases.back().layers.back().tensors.emplace_back();
      size_t count;
      in >> s.norm >> count;
      s.values.resize(count);
      for (auto& [at, value] : s.values) in >> at >> value;
    }
  }
  return cases;
}

std::vector<uint8_t> noise(int size) {
  std::vector<uint8_t> pixels(static_cast<size_t>(size) * size);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = philox(99, {static_cast<uint32_t>(i), 0, 0, 0})[0] >> 24;
  return pixels;
}

// Initial weights as the fixtures have them, and batch-norm vectors that make inference's affine maps differ from the identity.
std::unique_ptr<Network> make_network(const Spec& spec, const TestBackend& device) {
  auto network = std::make_unique<Network>(spec, device.make(), 7);
  const auto& tensors = network->plan().tensors;
  for (size_t index = 0; index < tensors.size(); ++index) {
    const TensorInfo& t = tensors[index];
    if (t.storage != Storage::kVector || t.name == "head.bias") continue;
    const bool positive = t.name.ends_with(".weight") || t.name.ends_with("running_var");
    std::vector<float> values(t.element_count());
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = uniform(philox(97, {static_cast<uint32_t>(i), static_cast<uint32_t>(index), 0, 0})[0]) + (positive ? 0.5f : -0.5f);
    network->write(t, values);
  }
  return network;
}

// The error of single elements is measured against a typical element; one ReLU or maximum that falls the other way in float32
// would move a few gradients by a few hundredths, and does not happen in these cases. Returns the worst error seen.
double expect_samples(const Samples& expected, const std::vector<float>& actual, const std::string& what) {
  double square = 0;
  for (float v : actual) square += double{v} * v;
  const double typical = expected.norm / std::sqrt(static_cast<double>(actual.size())), allowed = 1e-4 * typical + 1e-12;
  double worst = std::abs(std::sqrt(square) - expected.norm) / std::sqrt(static_cast<double>(actual.size()));
  EXPECT_LT(worst, allowed) << what << " norm";
  for (const auto& [at, value] : expected.values) {
    EXPECT_NEAR(actual.at(at), value, allowed + 1e-4 * std::abs(value)) << what << '[' << at << ']';
    worst = std::max(worst, std::abs(actual[at] - value));
  }
  return typical > 0 ? worst / typical : worst;
}

class ExplainTest : public testing::TestWithParam<std::tuple<TestBackend, Case>> {};

TEST_P(ExplainTest, MatchesPyTorch) {
  const auto& [device, c] = GetParam();
  const auto network = make_network(c.spec, device);
  const std::vector<uint8_t> image = noise(c.spec.input_size);
  double worst = 0;
  ASSERT_EQ(c.layers.size(), 2 * std::ranges::count_if(network->plan().values, [](const Value& value) { return !value.name.empty(); }));
  for (const Expected& e : c.layers) {
    const Sensitivity s = explain(*network, image.data(), c.spec.input_size, {e.layer, c.target, e.guided});
    ASSERT_EQ(s.size, e.size);
    ASSERT_EQ(s.channels, e.channels);
    for (size_t i = 0; i < c.logits.size(); ++i) EXPECT_NEAR(s.logits[i], c.logits[i], 1e-5);
    const std::string what = e.layer + (e.guided ? " guided " : " ");
    worst = std::max({worst, expect_samples(e.tensors[0], s.activation, what + "activation"),
                      expect_samples(e.tensors[1], s.gradient, what + "gradient"), expect_samples(e.tensors[2], grad_cam(s), what + "Grad-CAM")});
  }
  std::cout << "worst error, in units of a typical element: " << worst << '\n';
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ExplainTest, testing::Combine(testing::ValuesIn(network_backends()), testing::ValuesIn(read_cases())),
                         [](const auto& info) { return std::get<0>(info.param).name + '_' + std::get<1>(info.param).name; });

// A change of one input pixel changes the logit as the gradient says, wherever no ReLU or maximum switches in between.
TEST(ExplainTest, InputGradientAgreesWithFiniteDifferences) {
  for (const TestBackend& device : network_backends()) {
    Spec spec;
    spec.stem[0] = 5;
    spec.modules = {12, 20};
    spec.input_size = 31;
    const auto network = make_network(spec, device);
    const std::vector<uint8_t> image = noise(31);
    const Sensitivity s = explain(*network, image.data(), 31, {"input", 4, false});
    const uint32_t row = 0;
    double square = 0;
    for (float g : s.gradient) square += double{g} * g;
    const double typical = std::sqrt(square / static_cast<double>(s.gradient.size()));
    int agree = 0, tried = 0;
    for (size_t at = 5; at < image.size(); at += 29, ++tried) {
      double logits[2];
      for (int sign : {0, 1}) {
        std::vector<uint8_t> moved = image;
        moved[at] = static_cast<uint8_t>(std::clamp(image[at] + (sign ? 1 : -1), 1, 254));
        logits[sign] = network->infer(moved.data(), 31, &row, 1, false)[4];
      }
      const double steps = std::clamp(image[at] + 1, 1, 254) - std::clamp(image[at] - 1, 1, 254);
      agree += std::abs((logits[1] - logits[0]) / (steps / 127.5) - s.gradient[at]) < 0.1 * typical;
    }
    EXPECT_GT(agree, 0.8 * tried) << device.name << ": " << agree << " of " << tried;
  }
}

TEST(ExplainTest, TakesTheLikeliestClassAndNamesWhatIsNotThere) {
  const auto network = make_network({}, network_backends()[0]);
  const std::vector<uint8_t> image = noise(48);
  const Sensitivity s = explain(*network, image.data(), 48, {"modules.3", -1, false});
  EXPECT_EQ(s.target, std::max_element(s.logits.begin(), s.logits.end()) - s.logits.begin());
  for (const ExplainRequest& wrong : {ExplainRequest{"modules.4"}, ExplainRequest{"stem.1", 7}}) {
    try {
      explain(*network, image.data(), 48, wrong);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), "ERR_FER_ARGUMENT");
    }
  }
}

}  // namespace
}  // namespace fer
