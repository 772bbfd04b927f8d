// Products of many tiles, beside the CPU's: wider than the PyTorch fixtures, every tile shape, channels that fill none of them,
// splits of the rows; float32, tensor cores, cuDNN.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <set>

#include "base/philox.h"
#include "buffer.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "cudnn.h"
#include "devices/registry.h"
#include "test/bits.h"
#include "test/setting.h"

namespace fer {
namespace {

struct Way {
  std::string name;
  Precision precision;
  std::string pinned;
  double tolerance;  // of the root mean square of a result
  int candidates;    // so many of that name run
};
std::ostream& operator<<(std::ostream& out, const Way& w) { return out << w.name; }

// On the device under test, which takes the way from its environment, or on the host.
std::unique_ptr<Backend> cuda(const Way& way) {
  if (!asked_device().empty()) {
    setenv("FER_CUDA_KERNELS", way.pinned.starts_with("cudnn") ? "cudnn" : ("own:" + way.pinned).c_str(), 1);
    auto made = make_backend(asked_device(), {.precision = way.precision});
    unsetenv("FER_CUDA_KERNELS");
    return made;
  }
  cuda::Tuning tuning;
  tuning.pinned = way.pinned;
  tuning.cudnn_alone = way.pinned == "cudnn_alone";
  if (way.pinned.starts_with("cudnn")) tuning.cudnn_symbol = cuda_on_host::cudnn_symbol;
  return std::make_unique<cuda::CudaBackend>(0, DeviceOptions{.precision = way.precision}, tuning);
}

// Uniform in -1..1; in steps of 1/64 every value is a tf32 and a bf16.
std::vector<float> noise(size_t count, uint32_t stream, bool in_steps) {
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) {
    const float v = 2 * uniform(philox(5, {static_cast<uint32_t>(i), stream, 0, 0})[0]) - 1;
    values[i] = in_steps ? std::round(v * 64) / 64 : v;
  }
  return values;
}

// Device memory of one backend, filled, and read back when all ops are done.
class Bench {
 public:
  explicit Bench(std::unique_ptr<Backend> backend, bool in_steps) : backend(std::move(backend)), in_steps_(in_steps) {}
  float* values(const std::vector<float>& v) {
    Buffer<float>& buffer = kept_.emplace_back(*backend, v.size());
    backend->upload(buffer.data(), v.data(), buffer.bytes());
    return buffer.data();
  }
  float* random(size_t count) { return values(noise(count, ++stream_, in_steps_)); }
  float* result(size_t count) {
    float* memory = values(std::vector<float>(count));
    results_.push_back({memory, count});
    return memory;
  }
  // Where `plain`, dz = g.
  BatchNorm norm(int channels, bool plain) {
    const std::vector<float> ones(channels, 1.f), zeros(channels);
    auto room = [&] { return values(zeros); };
    return {.channels = channels,
            .gamma = values(ones),
            .beta = room(),
            .running_mean = room(),
            .running_var = room(),
            .mean = result(channels),
            .inv_std = result(channels),
            .scale = room(),
            .shift = room(),
            .d_gamma = result(channels),
            .d_beta = result(channels),
            .a = plain ? values(ones) : random(channels),
            .b = plain ? room() : random(channels),
            .c = plain ? room() : random(channels)};
  }
  std::vector<std::vector<float>> results() {
    std::vector<std::vector<float>> all;
    for (const auto& [memory, count] : results_) backend->download(all.emplace_back(count).data(), memory, count * sizeof(float));
    return all;
  }
  std::unique_ptr<Backend> backend;

 private:
  bool in_steps_;
  uint32_t stream_ = 0;
  std::vector<Buffer<float>> kept_;
  std::vector<std::pair<float*, size_t>> results_;
};

void separable(Bench& b, const Shape& s) {
  const size_t pixels = static_cast<size_t>(s.n) * s.size * s.size, in = pixels * s.in_channels, out = pixels * s.out_channels;
  BatchNorm bn = b.norm(s.out_channels, false);
  const float *x = b.random(in), *depthwise = b.random(9 * s.in_channels), *pointwise = b.random(static_cast<size_t>(s.in_channels) * s.out_channels),
              *g = b.random(out);
  float *d = b.result(in), *z = b.result(out), *dw = b.result(9 * s.in_channels), *pw = b.result(static_cast<size_t>(s.in_channels) * s.out_channels),
        *dx = b.result(in);
  const View view{.z = x, .bn = nullptr};
  b.backend->run(
      SeparableForward{.shape = s, .in = view, .depthwise = depthwise, .pointwise = pointwise, .d = d, .z = z, .bn = &bn, .training = true});
  b.backend->run(SeparableBackward{.shape = s,
                                   .up = {.g = g, .argmax = nullptr, .z = z, .bn = &bn},
                                   .in = view,
                                   .d = d,
                                   .depthwise = depthwise,
                                   .pointwise = pointwise,
                                   .d_depthwise = dw,
                                   .d_pointwise = pw,
                                   .shortcut_dx = nullptr,
                                   .dx = dx});
}

// A normalised input, so that the convolution's input gradient is masked and summed.
void convolution(Bench& b, const Shape& s) {
  const size_t in = static_cast<size_t>(s.n) * s.size * s.size * s.in_channels,
               out = static_cast<size_t>(s.n) * (s.size - 2) * (s.size - 2) * s.out_channels;
  BatchNorm in_bn = b.norm(s.in_channels, true), bn = b.norm(s.out_channels, true);
  for (float* scale : {in_bn.scale, in_bn.inv_std})
    b.backend->upload(scale, std::vector<float>(s.in_channels, 0.5f).data(), s.in_channels * sizeof(float));
  const float *x = b.random(in), *weight = b.random(static_cast<size_t>(9) * s.in_channels * s.out_channels), *g = b.random(out);
  float *z = b.result(out), *dw = b.result(static_cast<size_t>(9) * s.in_channels * s.out_channels), *dx = b.result(in);
  const View view{.z = x, .bn = &in_bn};
  b.backend->run(ConvolutionForward{.shape = s, .in = view, .weight = weight, .z = z, .bn = &bn, .training = true});
  b.backend->run(
      ConvolutionBackward{.shape = s, .up = {.g = g, .argmax = nullptr, .z = z, .bn = &bn}, .in = view, .weight = weight, .d_weight = dw, .dx = dx});
}

void shortcut(Bench& b, const Shape& s) {
  const int half = (s.size + 1) / 2;
  const size_t in = static_cast<size_t>(s.n) * s.size * s.size * s.in_channels, pixels = static_cast<size_t>(s.n) * half * half;
  BatchNorm bn = b.norm(s.out_channels, true);
  const float *x = b.random(in), *weight = b.random(static_cast<size_t>(s.in_channels) * s.out_channels), *g = b.random(pixels * s.out_channels);
  float *z = b.result(pixels * s.out_channels), *dw = b.result(static_cast<size_t>(s.in_channels) * s.out_channels),
        *dx = b.result(pixels * s.in_channels);
  const View view{.z = x, .bn = nullptr};
  b.backend->run(ShortcutForward{.shape = s, .in = view, .weight = weight, .z = z, .bn = &bn, .training = true});
  b.backend->run(
      ShortcutBackward{.shape = s, .up = {.g = g, .argmax = nullptr, .z = z, .bn = &bn}, .in = view, .weight = weight, .d_weight = dw, .dx = dx});
}

// The candidates that ran on the host since it was cleared.
std::set<std::string>& executed() {
  static std::set<std::string> names;
  return names;
}

// Of all results since it was replaced.
Bits& bits() {
  static Bits all;
  return all;
}

// The largest difference of any result from the CPU's, in root mean squares of that result.
double worst_difference(const Way& way, void (*op)(Bench&, const Shape&), const Shape& shape, bool in_steps) {
  Bench cpu(std::make_unique<cpu::CpuBackend>(2), in_steps), gpu(cuda(way), in_steps);
  op(cpu, shape);
  op(gpu, shape);
  if (const auto* on_host = dynamic_cast<const cuda::CudaBackend*>(gpu.backend.get()))
    for (const std::string& name : on_host->choices().executed()) executed().insert(name);
  const auto expected = cpu.results(), actual = gpu.results();
  for (const std::vector<float>& values : actual) bits().add(values);
  double worst = 0;
  for (size_t r = 0; r < expected.size(); ++r) {
    double square = 0;
    for (float v : expected[r]) square += double{v} * v;
    const double typical = std::sqrt(square / static_cast<double>(expected[r].size())) + 1e-3;
    for (size_t i = 0; i < expected[r].size(); ++i) {
      const double difference = std::abs(double{expected[r][i]} - actual[r][i]) / typical;
      worst = std::max(worst, std::isnan(difference) ? INFINITY : difference);
    }
  }
  return worst;
}

class CudaProductsTest : public testing::TestWithParam<Way> {};

TEST_P(CudaProductsTest, AgreeWithTheCpu) {
  executed().clear();
  bits() = {};
  double worst = 0;
  for (const Shape& s :
       {Shape{3, 11, 64, 136}, {2, 7, 136, 264}, {5, 9, 24, 40}, {4, 5, 16, 24}, {3, 6, 24, 16}, {3, 5, 16, 8}, {1, 3, 8, 1024}, {10, 12, 128, 128}})
    worst = std::max(worst, worst_difference(GetParam(), separable, s, false));
  for (const Shape& s : {Shape{2, 9, 32, 64}, {1, 7, 72, 40}, {2, 8, 136, 136}})
    worst = std::max(worst, worst_difference(GetParam(), convolution, s, false));
  for (const Shape& s : {Shape{3, 9, 64, 128}, {2, 8, 136, 264}, {1, 5, 24, 40}})
    worst = std::max(worst, worst_difference(GetParam(), shortcut, s, false));
  RecordProperty("worst", std::to_string(worst));
  bits().record();
  std::printf("worst difference %.2e root mean squares\n", worst);
  EXPECT_LT(worst, GetParam().tolerance);
  if (GetParam().precision != Precision::kFp32) {
    EXPECT_GT(worst, GetParam().tolerance / 40) << "operands are rounded";
  }
  if (!asked_device().empty()) return;
  for (const std::string& name : executed()) std::printf("ran %s\n", name.c_str());
  const auto meant = std::count_if(executed().begin(), executed().end(), [](const std::string& name) { return name.starts_with(GetParam().pinned); });
  EXPECT_EQ(meant, GetParam().candidates);
}

// Operands that need no rounding multiply exactly in every format; what is left is the order of float32 sums.
TEST_P(CudaProductsTest, RoundNothingButTheOperands) {
  for (const Shape& s : {Shape{3, 9, 64, 128}, {2, 8, 136, 264}}) EXPECT_LT(worst_difference(GetParam(), shortcut, s, true), 2e-5);
}

TEST_P(CudaProductsTest, AreBitIdenticalWhateverOrderThreadsAndBlocksRunIn) {
  if (!asked_device().empty()) GTEST_SKIP() << "a GPU's threads run in the order it likes";
  std::vector<std::vector<std::vector<float>>> runs;
  for (const bool reversed : {false, true}) {
    cuda_on_host::machine().reversed = reversed;
    Bench bench(cuda(GetParam()), false);
    convolution(bench, {2, 9, 72, 136});
    shortcut(bench, {3, 9, 64, 128});
    runs.push_back(bench.results());
  }
  cuda_on_host::machine().reversed = false;
  EXPECT_EQ(runs[0], runs[1]);
}

INSTANTIATE_TEST_SUITE_P(Ways, CudaProductsTest,
                         testing::Values(Way{"fp32", Precision::kFp32, "fp32", 1e-4, 7}, Way{"tf32", Precision::kTf32, "tf32", 8e-3, 3},
                                         Way{"tf32_large_tiles", Precision::kTf32, "tf32 128", 8e-3, 2},
                                         Way{"bf16", Precision::kBf16, "bf16", 6e-2, 3},
                                         Way{"bf16_large_tiles", Precision::kBf16, "bf16 128", 6e-2, 2},
                                         Way{"fp32_large_tiles", Precision::kFp32, "fp32 128", 1e-4, 4},
                                         Way{"fused", Precision::kFp32, "fused", 1e-4, 5}, Way{"tf32_fused", Precision::kTf32, "fused tf32", 8e-3, 3},
                                         Way{"bf16_fused", Precision::kBf16, "fused bf16", 6e-2, 3}, Way{"cudnn", Precision::kFp32, "cudnn", 1e-4, 3},
                                         Way{"cudnn_alone", Precision::kFp32, "cudnn_alone", 1e-4, 0}),
                         [](const auto& info) { return info.param.name; });

#ifdef FER_CUDA_ON_HOST  // whose own rounding it is
TEST(TensorCoresTest, RoundAsTheHardwareDoes) {
  auto bits = [](float v) {
    uint32_t word;
    std::memcpy(&word, &v, sizeof word);
    return word;
  };
  // tf32: ten bits of mantissa, ties away from zero. bf16: seven, ties to even.
  EXPECT_EQ(cuda::to_tf32(1.f + std::ldexp(1.f, -11)), bits(1.f + std::ldexp(1.f, -10)));
  EXPECT_EQ(cuda::to_tf32(-1.f - std::ldexp(1.f, -11)), bits(-1.f - std::ldexp(1.f, -10)));
  EXPECT_EQ(cuda::to_tf32(1.f + std::ldexp(1.f, -12)), bits(1.f));
  EXPECT_EQ(cuda::to_bf16_pair(1.f + std::ldexp(1.f, -8), 1.f + std::ldexp(3.f, -8)), bits(1.f + std::ldexp(1.f, -6)) | bits(1.f) >> 16);
  EXPECT_EQ(cuda::to_bf16_pair(0.f, INFINITY), bits(INFINITY));
}
#endif

}  // namespace
}  // namespace fer
