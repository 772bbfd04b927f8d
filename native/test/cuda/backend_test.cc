// What only the CUDA backend has: recorded steps, results that do not depend on the order threads run in, memory that runs
// out. Kernels run on the host (cuda_on_host/).
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "base/philox.h"
#include "buffer.h"
#include "cpu/cpu_backend.h"
#include "cuda/cuda_backend.h"
#include "network/trainer.h"
#include "test/backends.h"
#include "test/setting.h"

namespace fer {
namespace {

std::unique_ptr<Backend> cuda() { return cuda_on_host_backend(); }
std::unique_ptr<Backend> cpu() { return std::make_unique<cpu::CpuBackend>(2); }

std::shared_ptr<DataSet> images(int count, int size) {
  auto data = std::make_shared<DataSet>();
  data->size = size;
  data->images.resize(static_cast<size_t>(count) * size * size);
  for (size_t i = 0; i < data->images.size(); ++i) data->images[i] = static_cast<uint8_t>(128 + 100 * std::sin(0.37 * static_cast<double>(i % 977)));
  for (int i = 0; i < count; ++i) data->labels.push_back(static_cast<uint8_t>(i % 7));
  return data;
}

struct Trained {
  std::vector<float> weights;
  EpochTotals totals;
};

// Two epochs of 11 images by fours: three steps each, the last of them smaller.
Trained train(std::unique_ptr<Backend> backend) {
  Spec spec;
  spec.input_size = 23;
  spec.modules = {16, 24};
  auto network = std::make_shared<Network>(spec, std::move(backend), 1);
  TrainerOptions options;
  options.batch_size = 4;
  options.optimizer = OptimizerKind::kAdamW;
  options.clip_norm = 1;
  options.ema_decay = 0.9f;
  options.weight_decay = 0.01f;
  options.augmentation.flip = options.augmentation.geometric = options.augmentation.photometric = options.augmentation.cutout = 0.5f;
  options.augmentation.rotation = 20;
  options.augmentation.brightness = options.augmentation.contrast = options.augmentation.cutout_size = 0.3f;
  Trainer trainer(network, images(11, 24), options);
  const std::atomic<bool> never{false};
  Trained result;
  for (uint32_t epoch = 0; epoch < 2; ++epoch) {
    EpochRequest request;
    request.epoch = epoch;
    for (uint32_t row = 0; row < 11; ++row) request.rows.push_back(row);
    request.learning_rates = {0.01f, 0.005f, 0.002f};
    result.totals = trainer.train_epoch(request, never, nullptr);
  }
  for (const TensorInfo& t : network->plan().tensors)
    for (float v : network->read(t)) result.weights.push_back(v);
  return result;
}

TEST(CudaTest, RecordedStepsTrainAsTheCpuDoes) {
  const int64_t before = cuda_on_host::machine().graph_launches;
  const Trained gpu = train(cuda()), on_cpu = train(cpu());
  // Steps of four: one direct, three replayed; steps of three: one direct, one replayed.
  EXPECT_EQ(cuda_on_host::machine().graph_launches - before, 4);
  ASSERT_EQ(gpu.weights.size(), on_cpu.weights.size());
  EXPECT_EQ(gpu.totals.seen, 11);
  EXPECT_NEAR(gpu.totals.loss_sum, on_cpu.totals.loss_sum, 0.02 * on_cpu.totals.loss_sum);
  double difference = 0, norm = 0;
  for (size_t i = 0; i < on_cpu.weights.size(); ++i) {
    difference += std::pow(gpu.weights[i] - on_cpu.weights[i], 2);
    norm += std::pow(on_cpu.weights[i], 2);
  }
  EXPECT_LT(std::sqrt(difference / norm), 0.01);
}

TEST(CudaTest, IsBitIdenticalWhateverOrderThreadsAndBlocksRunIn) {
  const Trained forwards = train(cuda()), again = train(cuda());
  cuda_on_host::machine().reversed = true;
  const Trained backwards = train(cuda());
  cuda_on_host::machine().reversed = false;
  EXPECT_EQ(forwards.weights, again.weights);
  EXPECT_EQ(forwards.weights, backwards.weights);
  EXPECT_EQ(forwards.totals.loss_sum, backwards.totals.loss_sum);
}

TEST(CudaTest, TrainsOnTwoDevicesAtOnceAsOnOne) {
  const Trained alone = train(cuda());
  cuda_on_host::machine().devices = 2;
  std::array<Trained, 2> both;
  std::array<std::thread, 2> threads;
  for (int device = 0; device < 2; ++device)
    threads[device] = std::thread([&both, device] { both[device] = train(std::make_unique<cuda::CudaBackend>(device)); });
  for (std::thread& thread : threads) thread.join();
  cuda_on_host::machine().devices = 1;
  for (const Trained& one : both) EXPECT_EQ(one.weights, alone.weights);
}

// Programs and memory of one device are let go by a thread that last used another, as a garbage collector does.
TEST(CudaTest, IsDestroyedByAnotherThread) {
  cuda_on_host::machine().devices = 2;
  auto second = std::make_unique<cuda::CudaBackend>(1);
  auto values = std::make_unique<Buffer<float>>(*second, 4);
  const Op op = Rectify{.count = 4, .values = values->data()};
  auto program = second->record(std::span(&op, 1));
  for (int i = 0; i < 3; ++i) program->run();
  std::thread([&] {
    program.reset();
    values.reset();
    cudaSetDevice(0);
    second.reset();
  }).join();
  cuda_on_host::machine().devices = 1;
}

TEST(CudaTest, DoesNotWaitForTheDeviceInsideAnEpoch) {
  auto network = std::make_shared<Network>(Spec{{8, 8}, {8}, 7, 20}, cuda(), 1);
  TrainerOptions options;
  options.batch_size = 2;
  Trainer trainer(network, images(40, 20), options);
  const std::atomic<bool> never{false};
  auto waits = [&](uint32_t rows) {
    EpochRequest request;
    for (uint32_t row = 0; row < rows; ++row) request.rows.push_back(row);
    request.learning_rates.assign(rows / 2, 0.01f);
    const int64_t before = cuda_on_host::machine().synchronisations;
    trainer.train_epoch(request, never, nullptr);
    return cuda_on_host::machine().synchronisations - before;
  };
  EXPECT_EQ(waits(4), waits(40));
}

// scripts/roofline.mjs counts on these very launches; what differs between widths and batches is their size.
TEST(CudaTest, LaunchesWhatTheRooflineSays) {
  std::ifstream file(fixture("launches.txt"));
  std::vector<std::string> expected, actual;
  for (std::string line; std::getline(file, line);)
    if (!line.empty() && line[0] != '#') expected.push_back(line);
  auto network = std::make_shared<Network>(Spec{}, cuda(), 1);
  TrainerOptions options;
  options.batch_size = 2;
  Trainer trainer(network, images(4, 48), options);
  const std::atomic<bool> never{false};
  EpochRequest request;
  request.rows = {0, 1, 2, 3};
  request.learning_rates = {0.f, 0.f};
  trainer.train_epoch(request, never, nullptr);
  request.rows = {0, 1};
  request.learning_rates = {0.f};
  const int64_t graphs = cuda_on_host::machine().graph_launches;
  cuda_on_host::machine().launched = &actual;
  trainer.train_epoch(request, never, nullptr);
  cuda_on_host::machine().launched = nullptr;
  EXPECT_EQ(cuda_on_host::machine().graph_launches - graphs, 1) << "a step is one graph";
  EXPECT_EQ(actual, expected);
  if (HasFailure())
    for (const std::string& op : actual) std::printf("%s\n", op.c_str());
}

TEST(CudaTest, SurvivesMemoryThatRunsOut) {
  size_t& free = cuda_on_host::machine().free_bytes;
  const size_t all = free;
  auto network = std::make_shared<Network>(Spec{}, cuda(), 1);
  const auto data = images(8, 48);
  const uint32_t row = 3;
  const std::vector<float> before = network->infer(data->images.data(), 48, &row, 1, false);
  TrainerOptions options;
  options.batch_size = 512;
  const size_t hidden = free - 300'000'000;
  free -= hidden;
  try {
    Trainer trainer(network, data, options);
    ADD_FAILURE() << "a batch of 512 fitted into 300 MB";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "ERR_FER_OUT_OF_MEMORY");
    const std::string message = e.what();
    EXPECT_EQ(free, 300'000'000u) << "what was allocated for the failed trainer is free again";
    options.batch_size = std::stoi(message.substr(message.rfind(' ') + 1));
    EXPECT_GT(options.batch_size, 1) << message;
    Trainer smaller(network, data, options);
    EpochRequest request;
    for (uint32_t r = 0; r < 8; ++r) request.rows.push_back(r);
    request.learning_rates.assign((8 + options.batch_size - 1) / options.batch_size, 0.f);
    const std::atomic<bool> never{false};
    EXPECT_EQ(smaller.train_epoch(request, never, nullptr).seen, 8) << "the batch it advises trains";
  }
  free += hidden;  // less what the backend's scratch has grown by
  EXPECT_EQ(network->infer(data->images.data(), 48, &row, 1, false).size(), before.size());
  network.reset();
  EXPECT_EQ(free, all);
}

// The first step's gradients of a network wide enough for every kind of tile, beside the CPU's float32 ones.
struct Mode {
  std::string name;
  Precision precision;
  bool cudnn;
  double most;  // length of the difference, in lengths of the gradient
};
std::ostream& operator<<(std::ostream& out, const Mode& m) { return out << m.name; }
class CudaModesTest : public testing::TestWithParam<Mode> {};

TEST_P(CudaModesTest, GradientsOfAWholeStepAgreeWithTheCpu) {
  Spec spec;
  spec.stem[0] = 24;
  spec.stem[1] = 40;
  spec.modules = {72, 136};
  spec.input_size = 16;
  const Mode& mode = GetParam();
  std::vector<std::vector<float>> gradients;
  std::vector<double> losses;
  for (const bool on_gpu : {false, true}) {
    auto network = std::make_shared<Network>(spec, on_gpu ? cuda_on_host_backend(mode.precision, mode.cudnn) : cpu(), 1);
    TrainerOptions options;
    options.batch_size = 6;
    auto data = images(6, 16);
    for (size_t i = 0; i < data->images.size(); ++i) data->images[i] = static_cast<uint8_t>(philox(1, {static_cast<uint32_t>(i), 0, 0, 0})[0]);
    Trainer trainer(network, data, options);
    EpochRequest request;
    request.rows = {0, 1, 2, 3, 4, 5};
    request.learning_rates = {0.01f};
    const std::atomic<bool> never{false};
    losses.push_back(trainer.train_epoch(request, never, nullptr).loss_sum / 6);
    std::vector<float>& all = gradients.emplace_back();
    for (const TensorInfo& t : network->plan().tensors)
      if (t.trainable)
        for (float g : network->read_from(trainer.gradients(), t)) all.push_back(g);
  }
  double difference = 0, length = 0;
  for (size_t i = 0; i < gradients[0].size(); ++i) {
    difference += std::pow(double{gradients[0][i]} - gradients[1][i], 2);
    length += std::pow(gradients[0][i], 2);
  }
  std::printf("loss %.6f (CPU %.6f), difference of the gradients %.2e\n", losses[1], losses[0], std::sqrt(difference / length));
  EXPECT_NEAR(losses[0], losses[1], mode.most * losses[0]);
  EXPECT_LT(std::sqrt(difference / length), mode.most);
}

INSTANTIATE_TEST_SUITE_P(Modes, CudaModesTest,
                         testing::Values(Mode{"fp32", Precision::kFp32, false, 1e-4}, Mode{"tf32", Precision::kTf32, false, 0.03},
                                         Mode{"bf16", Precision::kBf16, false, 0.2}, Mode{"cudnn", Precision::kFp32, true, 1e-4},
                                         Mode{"cudnn_tf32", Precision::kTf32, true, 0.03}),
                         [](const auto& info) { return info.param.name; });

// The paper's GPU has 8 GB, of which the driver keeps some.
TEST(CudaTest, TheWideNetworkTrains256ImagesAtOnceIn8Gigabytes) {
  size_t& free = cuda_on_host::machine().free_bytes;
  const size_t all = free;
  free = (size_t{8} << 30) - (size_t{600} << 20);
  Spec wide{{32, 64}, {128, 256, 512, 1024}, 7, 48};
  auto network = std::make_shared<Network>(wide, cuda(), 1);
  auto data = std::make_shared<DataSet>();
  data->size = 48;
  data->labels.resize(28709);
  data->images.resize(size_t{28709} * 48 * 48);
  TrainerOptions options;
  options.optimizer = OptimizerKind::kAdamW;
  options.ema_decay = 0.9f;
  options.batch_size = 1 << 20;
  try {
    Trainer trainer(network, data, options);
    ADD_FAILURE() << "a million images fitted into 8 GB";
  } catch (const Error& e) {
    const std::string message = e.what();
    std::printf("%s\n", message.c_str());
    EXPECT_GE(std::stoi(message.substr(message.rfind(' ') + 1)), 256) << message;
  }
  network.reset();
  free = all;
}

TEST(CudaTest, RefusesADeviceThatIsNotThere) {
  EXPECT_THROW(cuda::CudaBackend(1), Error);
  cuda_on_host::machine().devices = 0;
  try {
    cuda::CudaBackend none(0);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "ERR_FER_DEVICE_UNAVAILABLE");
  }
  cuda_on_host::machine().devices = 1;
}

TEST(CudaTest, GathersAndAugmentsAsTheCpuDoes) {
  const auto data = images(6, 48);
  const std::vector<uint32_t> rows = {5, 0, 3, 3};
  const std::vector<Variant> drawings = {{}, {0, 1.6f}, {}, {1, 1.f}};
  AugmentPass pass{{0.5f, 0.7f, 30, 0.1f, 0.2f, 0.7f, 0.4f, 0.4f, 0.7f, 0.5f}, 11, 2};
  for (int out_size : {48, 31, 64})
    for (const AugmentPass* augment : {static_cast<const AugmentPass*>(nullptr), static_cast<const AugmentPass*>(&pass)}) {
      std::vector<std::vector<float>> results;
      for (const auto& backend : {cpu(), cuda()}) {
        Buffer<uint8_t> all(*backend, data->images.size());
        Buffer<uint32_t> order(*backend, rows.size());
        Buffer<Variant> variants(*backend, drawings.size());
        Buffer<float> x(*backend, rows.size() * out_size * out_size);
        backend->upload(all.data(), data->images.data(), all.bytes());
        backend->upload(order.data(), rows.data(), order.bytes());
        backend->upload(variants.data(), drawings.data(), variants.bytes());
        backend->run(Gather{
            .batch =
                {.images = all.data(), .labels = nullptr, .size = 48, .order = order.data(), .step = nullptr, .n = 4, .variants = variants.data()},
            .augments = augment != nullptr,
            .pass = augment ? *augment : AugmentPass{},
            .out_size = out_size,
            .x = x.data()});
        backend->download(results.emplace_back(x.count()).data(), x.data(), x.bytes());
      }
      for (size_t i = 0; i < results[0].size(); ++i) ASSERT_NEAR(results[0][i], results[1][i], 2e-5) << out_size << '[' << i << ']';
      const auto third = results[0].begin() + 2 * out_size * out_size, fourth = third + out_size * out_size;
      EXPECT_EQ(std::equal(third, fourth, fourth), augment == nullptr);  // drawn again, a row is augmented anew
    }
}

}  // namespace
}  // namespace fer
