// The test of an op: a case of fixtures/operations.txt (made by scripts/fixtures/operations.py), PyTorch's values in it, on every
// backend of backends.h. A new op is a file beside this one.
#pragma once
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "backend.h"
#include "cpu/instruction_sets.h"
#include "test/backends.h"
#include "test/bits.h"
#include "test/setting.h"

namespace fer {

struct Case {
  std::string operation;
  int n = 0, size = 0, in = 0, out = 0;
  bool flag = false;
  std::map<std::string, std::vector<float>> arrays;
  const std::vector<float>& at(const std::string& name) const { return arrays.at(name); }
};

// Those of one operation.
inline std::vector<Case> read_cases(const std::string& operation) {
  std::ifstream file(fixture("operations.txt"));
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    std::string kind;
    in >> kind;
    if (kind == "case") {
      Case& c = cases.emplace_back();
      in >> c.operation >> c.n >> c.size >> c.in >> c.out >> c.flag;
    } else if (kind == "array") {
      std::string name;
      size_t count;
      in >> name >> count;
      std::vector<float>& values = cases.back().arrays[name];
      values.resize(count);
      for (float& v : values) in >> v;
    }
  }
  std::erase_if(cases, [&](const Case& c) { return c.operation != operation; });
  return cases;
}

inline std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.operation; }

// Device memory that knows its backend; `half`: as bf16 (Shape::half).
class Memory {
 public:
  Memory(Backend& backend, size_t count, bool half = false)
      : backend_(backend), count_(count), half_(half), data_(static_cast<float*>(backend.allocate(std::max<size_t>(count, 1) * sizeof(float)))) {}
  Memory(Backend& backend, const std::vector<float>& values, bool half = false) : Memory(backend, values.size(), half) {
    if (values.empty()) return;
    if (half) {
      std::vector<cpu::Bf16> halves(values.size());
      cpu::instruction_set().bf16().half.narrow(values.data(), static_cast<ptrdiff_t>(values.size()), halves.data());
      backend.upload(data_, halves.data(), halves.size() * sizeof(cpu::Bf16));
    } else {
      backend.upload(data_, values.data(), values.size() * sizeof(float));
    }
  }
  Memory(Memory&& other) noexcept : backend_(other.backend_), count_(other.count_), half_(other.half_), data_(std::exchange(other.data_, nullptr)) {}
  ~Memory() {
    if (data_) backend_.release(data_);
  }
  operator float*() const { return data_; }
  std::vector<float> values() const {
    std::vector<float> v(count_);
    if (half_) {
      std::vector<cpu::Bf16> halves(count_);
      backend_.download(halves.data(), data_, count_ * sizeof(cpu::Bf16));
      cpu::instruction_set().bf16().half.widen(halves.data(), static_cast<ptrdiff_t>(count_), v.data());
    } else {
      backend_.download(v.data(), data_, count_ * sizeof(float));
    }
    return v;
  }

 private:
  Backend& backend_;
  size_t count_;
  bool half_;
  float* data_;
};

// A batch norm with all its vectors; `values` is a multiple of its channels.
class Norm {
 public:
  Norm(Backend& backend, const std::vector<float>& gamma, const std::vector<float>& beta)
      : backend_(backend), channels_(static_cast<int>(gamma.size())) {
    for (int i = 0; i < 13; ++i) memory_.emplace_back(backend, gamma.size());
    fill(0, gamma);
    fill(1, beta);
    fill(10, std::vector<float>(gamma.size(), 1.f));  // a = 1, b = c = 0: dz is the gradient handed in
    bn = {.channels = channels_,
          .gamma = memory_[0],
          .beta = memory_[1],
          .running_mean = memory_[2],
          .running_var = memory_[3],
          .mean = memory_[4],
          .inv_std = memory_[5],
          .scale = memory_[6],
          .shift = memory_[7],
          .d_gamma = memory_[8],
          .d_beta = memory_[9],
          .a = memory_[10],
          .b = memory_[11],
          .c = memory_[12]};
  }

  // Batch statistics of z [rows][channels], as the op before would have left them.
  void measure(const std::vector<float>& z) {
    const size_t rows = z.size() / channels_;
    std::vector<float> mean(channels_), inv_std(channels_), scale(channels_), shift(channels_);
    const auto gamma = memory_[0].values(), beta = memory_[1].values();
    for (int c = 0; c < channels_; ++c) {
      double sum = 0, square = 0;
      for (size_t r = 0; r < rows; ++r) sum += z[r * channels_ + c];
      for (size_t r = 0; r < rows; ++r) square += std::pow(z[r * channels_ + c] - sum / rows, 2);
      mean[c] = static_cast<float>(sum / rows);
      inv_std[c] = static_cast<float>(1 / std::sqrt(square / rows + kBatchNormEpsilon));
      scale[c] = gamma[c] * inv_std[c];
      shift[c] = beta[c] - mean[c] * scale[c];
    }
    fill(4, mean);
    fill(5, inv_std);
    fill(6, scale);
    fill(7, shift);
  }

  std::vector<float> d_gamma() const { return memory_[8].values(); }
  std::vector<float> d_beta() const { return memory_[9].values(); }
  std::vector<float> running_mean() const { return memory_[2].values(); }
  std::vector<float> mean() const { return memory_[4].values(); }

  // dz = a g + b z + c for all rows: what the next op forms while loading.
  std::vector<float> backward(const std::vector<float>& g, const std::vector<float>& z) const {
    const auto a = memory_[10].values(), b = memory_[11].values(), c = memory_[12].values();
    std::vector<float> dz(z.size());
    for (size_t i = 0; i < z.size(); ++i) dz[i] = a[i % channels_] * g[i] + b[i % channels_] * z[i] + c[i % channels_];
    return dz;
  }

  BatchNorm bn;

 private:
  void fill(int i, const std::vector<float>& values) { backend_.upload(memory_[i], values.data(), values.size() * sizeof(float)); }
  Backend& backend_;
  int channels_;
  std::vector<Memory> memory_;
};

class OpTest : public testing::TestWithParam<std::tuple<TestBackend, Case>> {
 protected:
  const Case& c = std::get<1>(GetParam());
  std::unique_ptr<Backend> backend = std::get<0>(GetParam()).make();
  void expect_close(const std::vector<float>& actual, const std::vector<float>& expected, const std::string& what) {
    ASSERT_EQ(actual.size(), expected.size()) << what;
    bits_.add(actual);
    double square = 0;
    for (float v : expected) square += double{v} * v;
    const double relative = std::get<0>(GetParam()).tolerance, tolerance = relative * (1 + std::sqrt(square / std::max<size_t>(expected.size(), 1)));
    for (size_t i = 0; i < actual.size(); ++i) {
      worst_ = std::max(worst_, std::abs(double{actual[i]} - expected[i]) / (tolerance / relative));
      ASSERT_NEAR(actual[i], expected[i], tolerance + relative * std::abs(expected[i])) << what << '[' << i << ']';
    }
  }
  // In units of 1 + the root mean square of the tensor.
  void TearDown() override {
    RecordProperty("worst", (std::ostringstream() << worst_).str());
    bits_.record();
  }
  double worst_ = 0;
  Bits bits_;
  Memory load(const std::string& name) { return {*backend, c.at(name)}; }
  Memory room(size_t count) { return {*backend, count}; }
  // Of activations and their gradients.
  const bool half = std::get<0>(GetParam()).half;
  Memory load_activations(const std::string& name) { return {*backend, c.at(name), half}; }
  Memory activations(size_t count) { return {*backend, count, half}; }
  Norm plain_norm(int channels) { return {*backend, std::vector<float>(channels, 1.f), std::vector<float>(channels)}; }

  // The input with its batch norm, if the case has one.
  std::optional<Norm> input_norm() {
    if (!c.flag) return std::nullopt;
    std::optional<Norm> norm(std::in_place, *backend, c.at("in_gamma"), c.at("in_beta"));
    norm->measure(c.at("in"));
    return norm;
  }
  void expect_input_gradient(const Memory& dx, std::optional<Norm>& norm) {
    if (!norm) return expect_close(dx.values(), c.at("d_in"), "d_in");
    expect_close(norm->d_gamma(), c.at("d_in_gamma"), "d_in_gamma");
    expect_close(norm->d_beta(), c.at("d_in_beta"), "d_in_beta");
    expect_close(norm->backward(dx.values(), c.at("in")), c.at("d_in"), "d_in");
  }
  // Forward left the batch's mean and a tenth of it in the running mean.
  void expect_statistics(const Norm& norm) {
    const std::vector<float>& z = c.at("out");
    const int channels = norm.bn.channels;
    std::vector<float> mean(channels), running(channels);
    for (size_t i = 0; i < z.size(); ++i) mean[i % channels] += z[i] * channels / z.size();
    for (int i = 0; i < channels; ++i) running[i] = 0.1f * mean[i];
    expect_close(norm.mean(), mean, "mean");
    expect_close(norm.running_mean(), running, "running mean");
  }
};

inline std::string case_name(const testing::TestParamInfo<std::tuple<TestBackend, Case>>& info) {
  const Case& c = std::get<1>(info.param);
  std::ostringstream name;
  name << std::get<0>(info.param).name << '_' << c.operation << '_' << c.n << '_' << c.size << '_' << c.in << '_' << c.out << (c.flag ? "_bn" : "");
  return name.str();
}

// On every backend, every case of `operation`.
#define FER_OP_CASES(suite, operation) \
  INSTANTIATE_TEST_SUITE_P(Fixtures, suite, testing::Combine(testing::ValuesIn(op_backends()), testing::ValuesIn(read_cases(operation))), case_name)

}  // namespace fer
