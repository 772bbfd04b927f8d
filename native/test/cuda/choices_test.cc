// The choice among an op's implementations: measured once, remembered, never trusted blindly; and cuDNN's errors.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/philox.h"
#include "cuda/cuda_backend.h"
#include "cudnn.h"
#include "network/trainer.h"

namespace fer {
namespace {

struct Trained {
  std::vector<float> weights;
  int64_t measured;
  std::string description;
};

Trained train(const cuda::Tuning& tuning, Precision precision = Precision::kFp32) {
  Spec spec;
  spec.input_size = 11;
  spec.modules = {24};
  auto owned = std::make_unique<cuda::CudaBackend>(0, DeviceOptions{.precision = precision}, tuning);
  const cuda::CudaBackend& backend = *owned;
  auto network = std::make_shared<Network>(spec, std::move(owned), 1);
  auto data = std::make_shared<DataSet>();
  data->size = 11;
  for (int i = 0; i < 5 * 11 * 11; ++i) data->images.push_back(static_cast<uint8_t>(philox(3, {static_cast<uint32_t>(i), 0, 0, 0})[0]));
  for (int i = 0; i < 5; ++i) data->labels.push_back(static_cast<uint8_t>(i % 7));
  TrainerOptions options;
  options.batch_size = 2;
  Trainer trainer(network, data, options);
  const std::atomic<bool> never{false};
  EpochRequest request;
  for (uint32_t row = 0; row < 5; ++row) request.rows.push_back(row);
  request.learning_rates = {0.01f, 0.01f, 0.01f};
  for (; request.epoch < 2; ++request.epoch) trainer.train_epoch(request, never, nullptr);
  Trained result{{}, backend.choices().measured(), backend.description()};
  for (const TensorInfo& t : network->plan().tensors)
    for (float v : network->read(t)) result.weights.push_back(v);
  return result;
}

constexpr int kMost = 12;  // at least as many choices does that network ask for

class CudaChoicesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("fer-choices-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder);
    tuning = {true, "", folder, cuda_on_host::cudnn_symbol};
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::filesystem::path file() const {
    const auto files = std::filesystem::directory_iterator(folder);
    return files->path();
  }
  std::string text() const {
    std::ostringstream all;
    all << std::ifstream(file()).rdbuf();
    return all.str();
  }
  void write(const std::string& text) const { std::ofstream(file()) << text; }

  std::filesystem::path folder;
  cuda::Tuning tuning;
};

TEST_F(CudaChoicesTest, AreMeasuredOnceAndThenRepeatBitForBit) {
  const Trained first = train(tuning), second = train(tuning), third = train(tuning);
  EXPECT_GT(first.measured, kMost);
  EXPECT_EQ(second.measured, 0);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator()), 1) << "no temporary file is left";
  EXPECT_EQ(second.weights, third.weights);
  EXPECT_EQ(first.weights, second.weights) << "measuring leaves no trace in the results";
}

TEST_F(CudaChoicesTest, FollowTheFile) {
  train(tuning);
  const std::string measured = text();
  // Every product by cuDNN, as if that had been fastest.
  std::istringstream lines(measured);
  std::string edited, line;
  while (std::getline(lines, line)) {
    const size_t tab = line.find('\t');
    edited +=
        tab == std::string::npos || line.starts_with("depthwise convolution's") ? line + '\n' : line.substr(0, tab) + "\tcudnn algorithm 1\t0.001\n";
  }
  write(edited);
  const int64_t before = cuda_on_host::cudnn().convolutions;
  EXPECT_EQ(train(tuning).measured, 0);
  EXPECT_GT(cuda_on_host::cudnn().convolutions - before, 30);
}

TEST_F(CudaChoicesTest, IgnoreAFileThatIsDamagedOrAnotherDevices) {
  const Trained first = train(tuning);
  const std::string good = text();
  EXPECT_EQ(train(tuning).measured, 0);
  std::string foreign = good, garbled = good;
  foreign.replace(foreign.find("CUDA on the host"), 16, "Another device00");
  garbled[good.find('\t')] = '\n';
  for (const std::string& bad : {std::string(), std::string("nonsense"), good.substr(0, good.size() / 2), foreign, garbled}) {
    write(bad);
    EXPECT_EQ(train(tuning).measured, first.measured) << bad.substr(0, 40);
    std::istringstream lines(text());
    EXPECT_EQ(std::count(std::istreambuf_iterator<char>(lines), {}, '\n'), std::count(good.begin(), good.end(), '\n')) << "it is written anew";
  }
}

TEST_F(CudaChoicesTest, MeasureAnewWhatTheFileNamesButNobodyOffers) {
  const Trained first = train(tuning);
  std::string unknown = text();
  for (size_t at = 0; (at = unknown.find('\t', at)) != std::string::npos; at = unknown.find('\n', at)) unknown.insert(at + 1, "gone ");
  write(unknown);
  EXPECT_EQ(train(tuning).measured, first.measured);
}

TEST_F(CudaChoicesTest, SurviveAFolderThatCannotBeWritten) {
  std::ofstream(folder) << "a file where the folder should be";
  EXPECT_GT(train(tuning).measured, kMost);
}

TEST_F(CudaChoicesTest, HaveNoCudnnWhereThereIsNone) {
  tuning.cudnn_symbol = nullptr;
  const int64_t before = cuda_on_host::cudnn().convolutions;
  EXPECT_GT(train(tuning, Precision::kTf32).measured, 0) << "tensor cores or not is still a choice";
  EXPECT_EQ(cuda_on_host::cudnn().convolutions, before);
  EXPECT_EQ(text().find("cudnn algorithm"), std::string::npos);
  EXPECT_NE(text().find("cuDNN none"), std::string::npos);
}

TEST_F(CudaChoicesTest, DropACandidateThatDoesNotTakeTheShape) {
  cuda_on_host::cudnn().next_run = CUDNN_STATUS_NOT_SUPPORTED;
  EXPECT_GT(train(tuning).measured, kMost);
  EXPECT_EQ(cuda_on_host::cudnn().next_run, CUDNN_STATUS_SUCCESS) << "it was tried";
}

TEST_F(CudaChoicesTest, ReportCudnnsErrorWithTheOpsName) {
  tuning = {false, "cudnn", {}, cuda_on_host::cudnn_symbol};
  cuda_on_host::cudnn().next_run = CUDNN_STATUS_EXECUTION_FAILED;
  try {
    train(tuning);
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), "ERR_FER_CUDA");
    EXPECT_STREQ(e.what(), "convolution failed in cuDNN: CUDNN_STATUS_EXECUTION_FAILED");
  }
}

TEST_F(CudaChoicesTest, KeepTf32OutOfFloat32) {
  tuning = {false, "cudnn", {}, cuda_on_host::cudnn_symbol};
  train(tuning);
  EXPECT_EQ(cuda_on_host::cudnn().last_math, CUDNN_FMA_MATH);
  train(tuning, Precision::kTf32);
  EXPECT_EQ(cuda_on_host::cudnn().last_math, CUDNN_DEFAULT_MATH);
}

TEST_F(CudaChoicesTest, SayWhereATuringGpuFallsBackToFloat32) {
  cuda_on_host::machine().compute_capability_major = 7;
  const Trained turing = train({}, Precision::kBf16);
  cuda_on_host::machine().compute_capability_major = 9;
  EXPECT_NE(turing.description.find("fp32 (bf16 was asked for"), std::string::npos) << turing.description;
  EXPECT_EQ(turing.weights, train({}).weights);
  EXPECT_NE(turing.weights, train({}, Precision::kBf16).weights);
}

}  // namespace
}  // namespace fer
