// Every fused operation of a backend, forward and backward, against PyTorch (fixtures/operations.txt, made by
// scripts/fixtures/operations.py), on every backend of `devices()` and, for the CPU, every instruction set.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "core/devices.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "cudnn.h"
#include "plugin/plugin_backend.h"
#include "setting.h"

extern "C" const fer::plugin::Table* fer_cuda_plugin();

namespace fer {
namespace {

struct Case {
  std::string operation;
  int n = 0, size = 0, in = 0, out = 0;
  bool flag = false;
  std::map<std::string, std::vector<float>> arrays;
  const std::vector<float>& at(const std::string& name) const { return arrays.at(name); }
};

std::vector<Case> read_cases() {
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
  return cases;
}

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.operation; }

struct Device {
  std::string name;
  std::function<std::unique_ptr<Backend>()> make;
  double tolerance = 2e-5;
};
std::ostream& operator<<(std::ostream& out, const Device& d) { return out << d.name; }

cuda::Tuning cudnn_only() { return {false, "cudnn", {}, cuda_on_host::cudnn_symbol}; }

// The backends under test; a new device adds its line.
std::vector<Device> devices() {
  if (const std::string device = asked_device(); !device.empty()) {
    auto in = [device](Precision precision) { return [=] { return make_backend(device, {0, precision}); }; };
    std::vector<Device> all = {{"asked_fp32", in(Precision::kFp32)}};
    if (device != "cpu") all.insert(all.end(), {{"asked_tf32", in(Precision::kTf32), 2e-3}, {"asked_bf16", in(Precision::kBf16), 1.6e-2}});
    return all;
  }
  return {
      {"cpu_1_thread", [] { return make_backend("cpu", {.threads = 1}); }},
      {"cpu_3_threads", [] { return make_backend("cpu", {.threads = 3}); }},
      {"cpu_sse4", [] { return std::make_unique<cpu::CpuBackend>(2, cpu::v2::kernels()); }},
      {"cpu_avx2", [] { return std::make_unique<cpu::CpuBackend>(2, cpu::v3::kernels()); }},
      {"cuda_on_host", [] { return std::make_unique<cuda::CudaBackend>(0); }},
      {"cuda_as_plugin", [] { return std::make_unique<plugin::PluginBackend>(*fer_cuda_plugin(), 0, DeviceOptions{}); }},
      {"cuda_on_host_cudnn", [] { return std::make_unique<cuda::CudaBackend>(0, DeviceOptions{}, cudnn_only()); }},
      // Operands rounded to 11 and to 8 significant bits: half a unit in the last place of each, and luck.
      {"cuda_on_host_tf32", [] { return std::make_unique<cuda::CudaBackend>(0, DeviceOptions{0, Precision::kTf32}); }, 2e-3},
      {"cuda_on_host_bf16", [] { return std::make_unique<cuda::CudaBackend>(0, DeviceOptions{0, Precision::kBf16}); }, 1.6e-2},
  };
}

// Device memory that knows its backend.
class Memory {
 public:
  Memory(Backend& backend, size_t count)
      : backend_(backend), count_(count), data_(static_cast<float*>(backend.allocate(std::max<size_t>(count, 1) * sizeof(float)))) {}
  Memory(Backend& backend, const std::vector<float>& values) : Memory(backend, values.size()) {
    if (!values.empty()) backend.upload(data_, values.data(), values.size() * sizeof(float));
  }
  Memory(Memory&& other) noexcept : backend_(other.backend_), count_(other.count_), data_(std::exchange(other.data_, nullptr)) {}
  ~Memory() {
    if (data_) backend_.release(data_);
  }
  operator float*() const { return data_; }
  std::vector<float> values() const {
    std::vector<float> v(count_);
    backend_.download(v.data(), data_, count_ * sizeof(float));
    return v;
  }

 private:
  Backend& backend_;
  size_t count_;
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
    bn = {channels_,  memory_[0], memory_[1], memory_[2], memory_[3],  memory_[4],  memory_[5],
          memory_[6], memory_[7], memory_[8], memory_[9], memory_[10], memory_[11], memory_[12]};
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

class OperationsTest : public testing::TestWithParam<std::tuple<Device, Case>> {
 protected:
  const Case& c = std::get<1>(GetParam());
  std::unique_ptr<Backend> backend = std::get<0>(GetParam()).make();
  void expect_close(const std::vector<float>& actual, const std::vector<float>& expected, const std::string& what) {
    ASSERT_EQ(actual.size(), expected.size()) << what;
    double square = 0;
    for (float v : expected) square += double{v} * v;
    const double relative = std::get<0>(GetParam()).tolerance, tolerance = relative * (1 + std::sqrt(square / std::max<size_t>(expected.size(), 1)));
    for (size_t i = 0; i < actual.size(); ++i) {
      worst_ = std::max(worst_, std::abs(double{actual[i]} - expected[i]) / (tolerance / relative));
      ASSERT_NEAR(actual[i], expected[i], tolerance + relative * std::abs(expected[i])) << what << '[' << i << ']';
    }
  }
  // In units of 1 + the root mean square of the tensor.
  void TearDown() override { RecordProperty("worst", (std::ostringstream() << worst_).str()); }
  double worst_ = 0;
  Memory load(const std::string& name) { return {*backend, c.at(name)}; }
  Memory room(size_t count) { return {*backend, count}; }
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

  void convolution() {
    const ConvolutionShape shape{c.n, c.size, c.in, c.out};
    const Memory in = load("in"), weight = load("weight"), g = load("g");
    auto in_norm = input_norm();
    BatchNorm* in_bn = in_norm ? &in_norm->bn : nullptr;
    Norm norm = plain_norm(c.out);
    const Memory z = room(c.at("out").size());
    backend->convolution_forward(shape, {in, in_bn}, weight, z, &norm.bn, true);
    expect_close(z.values(), c.at("out"), "out");
    expect_statistics(norm);
    const Memory d_weight = room(c.at("weight").size()), dx = room(c.at("in").size());
    // The first layer of a network needs no gradient of its input, and the core asks for none.
    const bool first = c.in == 1;
    backend->convolution_backward(shape, {g, nullptr, z, &norm.bn}, {in, in_bn}, in_bn, weight, d_weight, first ? nullptr : static_cast<float*>(dx));
    expect_close(d_weight.values(), c.at("d_weight"), "d_weight");
    if (!first) expect_input_gradient(dx, in_norm);
  }

  void separable() {
    const SeparableShape shape{c.n, c.size, c.in, c.out};
    const Memory in = load("in"), depthwise = load("depthwise"), pointwise = load("pointwise"), g = load("g");
    auto in_norm = input_norm();
    BatchNorm* in_bn = in_norm ? &in_norm->bn : nullptr;
    Norm norm = plain_norm(c.out);
    const Memory d = room(c.at("in").size()), z = room(c.at("out").size());
    backend->separable_forward(shape, {in, in_bn}, depthwise, pointwise, d, z, &norm.bn, true);
    expect_close(z.values(), c.at("out"), "out");
    expect_statistics(norm);
    const Memory d_depthwise = room(c.at("depthwise").size()), d_pointwise = room(c.at("pointwise").size()), dx = room(c.at("in").size());
    backend->separable_backward(shape, {g, nullptr, z, &norm.bn}, {in, in_bn}, in_bn, d, depthwise, pointwise, d_depthwise, d_pointwise, nullptr, dx);
    expect_close(d_depthwise.values(), c.at("d_depthwise"), "d_depthwise");
    expect_close(d_pointwise.values(), c.at("d_pointwise"), "d_pointwise");
    expect_input_gradient(dx, in_norm);
    // Inference keeps no depthwise result and leaves the statistics alone.
    Norm untouched = plain_norm(c.out);
    const Memory again = room(c.at("out").size());
    backend->separable_forward(shape, {in, in_bn}, depthwise, pointwise, nullptr, again, &untouched.bn, false);
    expect_close(again.values(), c.at("out"), "inference out");
    expect_close(untouched.running_mean(), std::vector<float>(c.out), "untouched running mean");
  }

  void shortcut() {
    const ShortcutShape shape{c.n, c.size, c.in, c.out};
    const Memory in = load("in"), weight = load("weight"), g = load("g");
    Norm norm = plain_norm(c.out);
    const Memory z = room(c.at("out").size());
    backend->shortcut_forward(shape, {in, nullptr}, weight, z, &norm.bn, true);
    expect_close(z.values(), c.at("out"), "out");
    expect_statistics(norm);
    const Memory d_weight = room(c.at("weight").size()), dx = room(c.at("d_even").size());
    backend->shortcut_backward(shape, {g, nullptr, z, &norm.bn}, {in, nullptr}, weight, d_weight, dx);
    expect_close(d_weight.values(), c.at("d_weight"), "d_weight");
    expect_close(dx.values(), c.at("d_even"), "d_even");
  }

  void pool_add() {
    const PoolShape shape{c.n, c.size, c.in};
    const Memory main = load("main"), side = load("side"), g = load("g");
    Norm main_norm(*backend, c.at("main_gamma"), c.at("main_beta")), side_norm(*backend, c.at("side_gamma"), c.at("side_beta"));
    main_norm.measure(c.at("main"));
    side_norm.measure(c.at("side"));
    const size_t count = c.at("out").size();
    const Memory out = room(count), argmax = room(count / sizeof(float) + 1);
    auto* taps = reinterpret_cast<uint8_t*>(static_cast<float*>(argmax));
    backend->pool_add_forward(shape, main, &main_norm.bn, side, &side_norm.bn, out, taps);
    expect_close(out.values(), c.at("out"), "out");
    backend->pool_add_backward(shape, g, taps, main, &main_norm.bn, side, &side_norm.bn);
    expect_close(main_norm.d_gamma(), c.at("d_main_gamma"), "d_main_gamma");
    expect_close(main_norm.d_beta(), c.at("d_main_beta"), "d_main_beta");
    expect_close(side_norm.d_gamma(), c.at("d_side_gamma"), "d_side_gamma");
    expect_close(side_norm.d_beta(), c.at("d_side_beta"), "d_side_beta");
    expect_close(side_norm.backward(c.at("g"), c.at("side")), c.at("d_side"), "d_side");
    // The main path's dz is formed by the separable convolution that reads it: with an identity weight, its dx shows it.
    std::vector<float> centre(9 * c.in), identity(static_cast<size_t>(c.in) * c.in);
    for (int i = 0; i < c.in; ++i) centre[4 * c.in + i] = identity[static_cast<size_t>(i) * c.in + i] = 1;
    const Memory depthwise(*backend, centre), pointwise(*backend, identity), d_depthwise = room(centre.size()), d_pointwise = room(identity.size());
    const Memory dx = room(c.at("main").size());
    backend->separable_backward({c.n, c.size, c.in, c.in}, {g, taps, main, &main_norm.bn}, {main, nullptr}, nullptr, main, depthwise, pointwise,
                                d_depthwise, d_pointwise, nullptr, dx);
    expect_close(dx.values(), c.at("d_main"), "d_main");
  }

  void head() {
    const int padded = static_cast<int>(c.at("bias").size());
    const HeadShape shape{c.n, c.size, c.in, c.out, padded};
    const Memory in = load("in"), weight = load("weight"), bias = load("bias"), class_weights = load("class_weights");
    const Memory taps = room(static_cast<size_t>(c.n) * 9 * c.in), logits = room(static_cast<size_t>(c.n) * padded),
                 d_logits = room(static_cast<size_t>(c.n) * padded);
    backend->head_forward(shape, in, weight, bias, taps, logits);
    expect_close(logits.values(), c.at("logits"), "logits");
    // Rows of a set of three more than the batch, backwards, starting at the second.
    std::vector<uint8_t> labels(c.n + 3);
    std::vector<uint32_t> order(c.n + 3);
    for (int i = 0; i < c.n; ++i) labels[order[i + 1] = c.n - i] = static_cast<uint8_t>(i % c.out);
    StepState now{};
    now.begin = 1;
    const LossTotals before{2.0, 5};
    auto on_device = [&](const void* values, size_t bytes) {
      Memory memory(*backend, bytes / sizeof(float) + 1);
      backend->upload(memory, values, bytes);
      return memory;
    };
    const Memory label_memory = on_device(labels.data(), labels.size()), order_memory = on_device(order.data(), order.size() * sizeof(uint32_t));
    const Memory step = on_device(&now, sizeof now), sums = on_device(&before, sizeof before);
    const Batch batch{nullptr,
                      reinterpret_cast<uint8_t*>(static_cast<float*>(label_memory)),
                      0,
                      reinterpret_cast<uint32_t*>(static_cast<float*>(order_memory)),
                      reinterpret_cast<StepState*>(static_cast<float*>(step)),
                      c.n};
    backend->softmax_cross_entropy(shape, logits, batch, {c.at("smoothing")[0], c.flag ? static_cast<float*>(class_weights) : nullptr}, d_logits,
                                   reinterpret_cast<LossTotals*>(static_cast<float*>(sums)));
    LossTotals totals;
    backend->download(&totals, sums, sizeof totals);
    EXPECT_NEAR(totals.loss_sum - 2, c.at("loss")[0], 1e-4);
    int correct = 5;
    for (int i = 0; i < c.n; ++i) {
      const float* row = c.at("logits").data() + static_cast<size_t>(i) * padded;
      correct += std::max_element(row, row + c.out) - row == i % c.out;
    }
    EXPECT_EQ(totals.correct, correct);
    expect_close(d_logits.values(), c.at("d_logits"), "d_logits");
    const Memory d_weight = room(c.at("weight").size()), d_bias = room(padded), dx = room(c.at("in").size());
    backend->head_backward(shape, d_logits, taps, weight, d_weight, d_bias, dx);
    expect_close(d_weight.values(), c.at("d_weight"), "d_weight");
    expect_close(d_bias.values(), c.at("d_bias"), "d_bias");
    expect_close(dx.values(), c.at("d_in"), "d_in");
  }
};

TEST_P(OperationsTest, MatchesPyTorch) {
  if (c.operation == "convolution") convolution();
  else if (c.operation == "separable") separable();
  else if (c.operation == "shortcut") shortcut();
  else if (c.operation == "pool_add") pool_add();
  else if (c.operation == "head") head();
  else FAIL() << "no test for operation " << c.operation;
}

INSTANTIATE_TEST_SUITE_P(Fixtures, OperationsTest, testing::Combine(testing::ValuesIn(devices()), testing::ValuesIn(read_cases())),
                         [](const auto& info) {
                           const Case& c = std::get<1>(info.param);
                           std::ostringstream name;
                           name << std::get<0>(info.param).name << '_' << c.operation << '_' << c.n << '_' << c.size << '_' << c.in << '_' << c.out
                                << (c.flag ? "_bn" : "");
                           return name.str();
                         });

}  // namespace
}  // namespace fer
