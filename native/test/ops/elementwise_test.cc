// Ops on plain vectors, against their formulas; every backend.
#include <gtest/gtest.h>

#include <cmath>

#include "buffer.h"
#include "test/backends.h"

namespace fer {
namespace {

class ElementwiseOpTest : public testing::TestWithParam<TestBackend> {
 protected:
  Buffer<float> load(const std::vector<float>& values) {
    Buffer<float> buffer(*backend, values.size());
    backend->upload(buffer.data(), values.data(), buffer.bytes());
    return buffer;
  }
  std::vector<float> values(const Buffer<float>& buffer) {
    std::vector<float> all(buffer.count());
    backend->download(all.data(), buffer.data(), buffer.bytes());
    return all;
  }
  std::unique_ptr<Backend> backend = GetParam().make();
};

TEST_P(ElementwiseOpTest, RectifyCutsOffWhatIsNegative) {
  std::vector<float> given(1000), expected(1000);
  for (size_t i = 0; i < given.size(); ++i) given[i] = static_cast<float>(i) * 0.25f - 100, expected[i] = given[i] > 0 ? given[i] : 0;
  const Buffer<float> memory = load(given);
  backend->run(Rectify{.count = 900, .values = memory.data()});
  std::copy(given.begin() + 900, given.end(), expected.begin() + 900);  // what lies behind stays
  EXPECT_EQ(values(memory), expected);
}

TEST_P(ElementwiseOpTest, UseRunningStatisticsMakesAnAffineMap) {
  const std::vector<float> gamma = {1, 2, -0.5f, 0}, beta = {0, 1, 0.25f, -1}, mean = {0, 3, -2, 1}, variance = {1, 0.25f, 9, 0};
  const Buffer<float> g = load(gamma), b = load(beta), m = load(mean), v = load(variance), scale = load(beta), shift = load(beta);
  BatchNorm bn{};
  bn.channels = 4;
  bn.gamma = g.data();
  bn.beta = b.data();
  bn.running_mean = m.data();
  bn.running_var = v.data();
  bn.scale = scale.data();
  bn.shift = shift.data();
  backend->run(UseRunningStatistics{bn});
  for (int i = 0; i < 4; ++i) {
    const double expected = gamma[i] / std::sqrt(variance[i] + 1e-3);
    EXPECT_NEAR(values(scale)[i], expected, 1e-5 * (1 + std::abs(expected)));
    EXPECT_NEAR(values(shift)[i], beta[i] - mean[i] * expected, 1e-5 * (1 + std::abs(mean[i] * expected)));
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, ElementwiseOpTest, testing::ValuesIn(op_backends()), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace fer
