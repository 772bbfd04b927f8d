// The choice among an op's implementations: measured once, remembered, never trusted blindly; and cuDNN's errors.
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include "base/philox.h"
#include "cuda/cuda_backend.h"
#include "cudnn.h"
#include "network/trainer.h"
#include "test/failure.h"

namespace fer {
namespace {

// Epochs of five images by twos.
struct Training {
  explicit Training(std::unique_ptr<Backend> backend) {
    Spec spec;
    spec.input_size = 11;
    spec.modules = {24};
    network = std::make_shared<Network>(spec, std::move(backend), 1);
    auto data = std::make_shared<DataSet>();
    data->size = 11;
    for (int i = 0; i < 5 * 11 * 11; ++i) data->images.push_back(static_cast<uint8_t>(philox(3, {static_cast<uint32_t>(i), 0, 0, 0})[0]));
    for (int i = 0; i < 5; ++i) data->labels.push_back(static_cast<uint8_t>(i % 7));
    TrainerOptions options;
    options.batch_size = 2;
    trainer = std::make_unique<Trainer>(network, data, options);
  }
  void epochs(uint32_t count) const {
    const std::atomic<bool> never{false};
    EpochRequest request;
    for (uint32_t row = 0; row < 5; ++row) request.rows.push_back(row);
    request.learning_rates = {0.01f, 0.01f, 0.01f};
    for (; request.epoch < count; ++request.epoch) trainer->train_epoch(request, never, nullptr);
  }
  std::shared_ptr<Network> network;
  std::unique_ptr<Trainer> trainer;
};

struct Trained {
  std::vector<float> weights;
  int64_t measured;
  std::string description;
};

Trained train(const cuda::Tuning& tuning, Precision precision = Precision::kFp32) {
  auto owned = std::make_unique<cuda::CudaBackend>(0, DeviceOptions{.precision = precision}, tuning);
  const cuda::CudaBackend& backend = *owned;
  const Training training(std::move(owned));
  training.epochs(2);
  Trained result{{}, backend.choices().measured(), backend.description()};
  for (const TensorInfo& t : training.network->plan().tensors)
    for (float v : training.network->read(t)) result.weights.push_back(v);
  return result;
}

const cuda::Tuning kAlone = {.measures = false, .pinned = "", .folder = {}, .cudnn_symbol = cuda_on_host::cudnn_symbol, .cudnn_alone = true};

constexpr int kMost = 12;  // at least as many choices does that network ask for

class CudaChoicesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() / ("fer-choices-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder);
    tuning = {true, "", folder, cuda_on_host::cudnn_symbol};
  }
  void TearDown() override {
    std::filesystem::remove_all(folder);
    cuda_on_host::cudnn() = {};
  }
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
  // A file's choices with every product by cuDNN, as if that had been fastest.
  static std::string with_cudnn(const std::string& measured) {
    std::istringstream lines(measured);
    std::string edited, line;
    while (std::getline(lines, line)) {
      const size_t tab = line.find('\t');
      if (tab == std::string::npos || line.starts_with("depthwise convolution's")) edited += line + '\n';
      else edited += line.substr(0, tab) + (line.starts_with("separable convolution") ? "\tapart" : "\tcudnn algorithm 1") + "\t0.001\n";
    }
    return edited;
  }

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

TEST_F(CudaChoicesTest, AreOneForTrainingsSideBySide) {
  const int64_t alone = train(tuning).measured;
  std::filesystem::remove_all(folder);
  Trained first, second;
  std::thread other([&] { first = train(tuning); });
  second = train(tuning);
  other.join();
  EXPECT_EQ(first.measured + second.measured, alone) << "each choice by one of them";
  const Trained after = train(tuning);
  EXPECT_EQ(after.measured, 0);
  EXPECT_EQ(first.weights, after.weights);
  EXPECT_EQ(second.weights, after.weights);
}

TEST_F(CudaChoicesTest, FollowTheFile) {
  train(tuning);
  write(with_cudnn(text()));
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

// Whatever cuDNN answers to whichever call: where kernels are measured, training goes on without it.
TEST_F(CudaChoicesTest, GoOnWhateverCudnnAnswers) {
  for (const char* call : {"Create", "SetStream", "SetTensor4dDescriptor", "GetConvolutionAlgorithm", "Convolution"})
    for (const int status : {1001, 1002, 1008, 2000, 2003, 3000, 3007, 4000, 4001, 5000, 5002}) {
      cuda_on_host::cudnn().returns = {{call, static_cast<cudnnStatus_t>(status)}};
      std::filesystem::remove_all(folder);
      const bool of_shape = status >= 2000 && status < 4000 && call != std::string("Create") && call != std::string("SetStream");
      Trained trained;
      EXPECT_EQ(failure_of([&] { trained = train(tuning); }), "nothing was thrown") << call << ' ' << status;
      EXPECT_EQ(trained.description.find("without cuDNN: ") == std::string::npos, of_shape) << trained.description;
    }
}

// As above, but only once the choice had fallen on cuDNN, in the first run or while the step is captured.
TEST_F(CudaChoicesTest, GoOnWhereCudnnFailsAfterItWasChosen) {
  train(tuning);
  const std::string by_cudnn = with_cudnn(text());
  for (const bool only_captured : {false, true})
    for (const int status : {3000, 5000}) {
      write(by_cudnn);
      cuda_on_host::cudnn().returns = {{"Convolution", static_cast<cudnnStatus_t>(status)}};
      cuda_on_host::cudnn().only_captured = only_captured;
      Trained trained;
      EXPECT_EQ(failure_of([&] { trained = train(tuning); }), "nothing was thrown") << status;
      EXPECT_EQ(trained.description.find("without cuDNN: ") == std::string::npos, status == 3000) << trained.description;
    }
}

TEST_F(CudaChoicesTest, GiveBackWhatTryingACandidateTook) {
  size_t& free = cuda_on_host::machine().free_bytes;
  cuda::Scratch scratch;
  cudaStream_t stream = nullptr;
  cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  cuda::Choices choices({.measures = true, .pinned = "", .folder = {}, .cudnn_symbol = nullptr}, "a device", scratch, [&] { return stream; });
  const size_t before = free;
  auto taking = [&](const char* name, cuda::Slot slot, size_t bytes, int milliseconds) {
    return cuda::Candidate{.name = name, .run = [&scratch, stream, slot, bytes, milliseconds] {
                             scratch.floats(slot, 0, bytes / sizeof(float), stream);
                             cuda_on_host::submit(stream, [milliseconds] { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); });
                           }};
  };
  choices.run("an op", {taking("fast", cuda::Slot::kPartial, 1 << 20, 0), taking("slow", cuda::Slot::kCudnn, 8 << 20, 2)});
  EXPECT_EQ(before - free, size_t{1} << 20);
  choices.run("another", {taking("slow", cuda::Slot::kPartial, 1 << 20, 2), taking("fast", cuda::Slot::kCudnn, 8 << 20, 0)});
  EXPECT_EQ(before - free, size_t{9} << 20);
  // What the first one needs is taken however little is free; another may have half of it.
  free = size_t{3} << 20;
  EXPECT_EQ(failure_of([&] {
              choices.run("a third", {taking("must", cuda::Slot::kGradient, 2 << 20, 2), taking("may", cuda::Slot::kWeights, (1 << 20) - 1024, 0)});
            }),
            "nothing was thrown");
  EXPECT_EQ(free, size_t{1} << 20);
  free = before - (size_t{11} << 20);
  cudaStreamDestroy(stream);
}

// Memory is full but for what training itself needs, and cuDNN's ways, which were chosen, hold some of it.
TEST_F(CudaChoicesTest, GiveUpCudnnForMemoryThatTrainingNeeds) {
  train(tuning);
  write(with_cudnn(text()));
  cuda_on_host::cudnn().workspace = size_t{24} << 20;
  auto owned = std::make_unique<cuda::CudaBackend>(0, DeviceOptions{}, tuning);
  cuda::CudaBackend& backend = *owned;
  const Training training(std::move(owned));
  training.epochs(1);
  const int64_t by_cudnn = cuda_on_host::cudnn().convolutions;
  EXPECT_GT(by_cudnn, 0);
  const size_t free = backend.free_bytes();
  void* most = backend.allocate(free + (size_t{16} << 20));
  EXPECT_NE(backend.description().find("without cuDNN: its scratch memory was needed"), std::string::npos) << backend.description();
  training.epochs(2);
  EXPECT_EQ(cuda_on_host::cudnn().convolutions, by_cudnn);
  backend.release(most);
}

// At the largest batch that the trainer advises, as own kernels train it.
TEST_F(CudaChoicesTest, TrainTheLargestBatchThatFits) {
  cuda_on_host::cudnn().workspace = size_t{64} << 20;
  size_t& free = cuda_on_host::machine().free_bytes;
  const size_t all = free;
  Spec spec;
  spec.input_size = 23;
  spec.modules = {16, 24};
  for (const bool measures : {false, true}) {
    cuda::Tuning chosen = tuning;
    if (!measures) chosen = {};
    auto network = std::make_shared<Network>(spec, std::make_unique<cuda::CudaBackend>(0, DeviceOptions{}, chosen), 1);
    free = size_t{160} << 20;
    auto data = std::make_shared<DataSet>();
    data->size = 23;
    data->images.resize(4 * 23 * 23);
    data->labels = {0, 1, 2, 3};
    TrainerOptions options;
    options.batch_size = 4096;
    const std::string message = failure_of([&] { Trainer(network, data, options); });
    options.batch_size = std::stoi(message.substr(message.rfind(' ') + 1));
    Trainer trainer(network, data, options);
    EpochRequest request;
    request.rows = {0, 1, 2, 3};
    request.learning_rates = {0.01f};
    const std::atomic<bool> never{false};
    const uint32_t row = 1;
    EXPECT_EQ(failure_of([&] {
                for (; request.epoch < 3; ++request.epoch) trainer.train_epoch(request, never, nullptr);
                network->infer(data->images.data(), 23, &row, 1, false);
              }),
              "nothing was thrown")
        << (measures ? "measured" : "own") << ", batch " << options.batch_size;
    free = all;
  }
}

TEST_F(CudaChoicesTest, ReportCudnnsErrorWithTheOpsNameWhereItMustRun) {
  tuning = kAlone;
  cuda_on_host::cudnn().next_run = CUDNN_STATUS_EXECUTION_FAILED;
  EXPECT_EQ(failure_of([&] { train(tuning); }), "ERR_FER_CUDA: convolution failed in cuDNN: CUDNN_STATUS_EXECUTION_FAILED (5000)");
  cuda_on_host::cudnn().returns = {{"Create", static_cast<cudnnStatus_t>(1002)}};
  EXPECT_NE(failure_of([&] { train(tuning); }).find("preparing cuDNN failed in cuDNN"), std::string::npos);
}

TEST_F(CudaChoicesTest, TryEveryPlanWhereCudnnMustRunAndThenSaySo) {
  cuda_on_host::cudnn().next_run = CUDNN_STATUS_NOT_SUPPORTED;  // of the first plan
  EXPECT_EQ(failure_of([&] { train(kAlone); }), "nothing was thrown");
  EXPECT_EQ(cuda_on_host::cudnn().next_run, CUDNN_STATUS_SUCCESS) << "it was tried";
  for (const char* call : {"Convolution", "GetConvolutionAlgorithm"}) {
    cuda_on_host::cudnn().returns = {{call, CUDNN_STATUS_NOT_SUPPORTED}};
    EXPECT_EQ(failure_of([&] { train(kAlone); }).rfind("ERR_FER_CUDA: cuDNN has no way to do the convolution", 0), 0u);
  }
}

// FER_CUDA_KERNELS=cudnn: what cuDNN computes in one step of the paper's network, and what own kernels do besides.
TEST_F(CudaChoicesTest, LeaveTheWholeStepToCudnnWhereItIsAskedFor) {
  auto network = std::make_shared<Network>(Spec{}, std::make_unique<cuda::CudaBackend>(0, DeviceOptions{}, kAlone), 1);
  auto data = std::make_shared<DataSet>();
  data->size = 48;
  data->images.resize(2 * 48 * 48, 7);
  data->labels = {0, 1};
  TrainerOptions options;
  options.batch_size = 2;
  Trainer trainer(network, data, options);
  const std::atomic<bool> never{false};
  EpochRequest request;
  request.rows = {0, 1};
  request.learning_rates = {0.01f};
  std::vector<std::string> calls, launched;
  cuda_on_host::cudnn().calls = &calls;
  cuda_on_host::machine().launched = &launched;
  trainer.train_epoch(request, never, nullptr);
  cuda_on_host::machine().launched = nullptr;
  std::map<std::string, int> of;
  for (const std::string& call : calls) ++of[call];
  for (const auto& [call, count] : of) std::printf("%2d %s\n", count, call.c_str());
  // Four modules of two separable convolutions and a shortcut, the stem's two convolutions, and the head's.
  EXPECT_EQ(of["ConvolutionForward"], 4 * 5 + 3);
  EXPECT_EQ(of["ConvolutionBackwardFilter"], 4 * 5 + 3);
  EXPECT_EQ(of["ConvolutionBackwardData"], 4 * 5 + 2);
  EXPECT_EQ(of["ConvolutionBackwardBias"], 1);
  EXPECT_EQ(of["BatchNormalizationForwardTraining"], 4 * 3 + 2);
  EXPECT_EQ(of["BatchNormalizationBackward"], 4 * 3 + 2);
  EXPECT_EQ(of["SoftmaxForward"], 1);
  EXPECT_GT(of["PoolingForward"], 4);
  EXPECT_GT(of["PoolingBackward"], 4);
  EXPECT_GT(of["ActivationForward"], 0);
  EXPECT_GT(of["ActivationBackward"], 0);
  EXPECT_GT(of["AddTensor"], 4);
  EXPECT_EQ(launched.size() - std::count_if(launched.begin(), launched.end(),
                                            [](const std::string& op) {
                                              return op.find("convolution") != std::string::npos || op.find("gradients") != std::string::npos ||
                                                     op.find("pooling") != std::string::npos || op.find("head") != std::string::npos;
                                            }),
            4u)
      << "the next step, the input, the loss and the optimiser";
}

TEST_F(CudaChoicesTest, KeepTf32OutOfFloat32) {
  train(kAlone);
  EXPECT_EQ(cuda_on_host::cudnn().last_math, CUDNN_FMA_MATH);
  train(kAlone, Precision::kTf32);
  EXPECT_NE(cuda_on_host::cudnn().last_math, CUDNN_FMA_MATH);
}

// The fake offers algorithm 1 for tensor cores alone, and twice, as cuDNN may.
TEST_F(CudaChoicesTest, RunAnAlgorithmForTheProductItWasOfferedFor) {
  for (const Precision precision : {Precision::kFp32, Precision::kTf32}) {
    auto owned = std::make_unique<cuda::CudaBackend>(0, DeviceOptions{.precision = precision}, tuning);
    const cuda::CudaBackend& backend = *owned;
    const Training training(std::move(owned));
    training.epochs(1);
    EXPECT_TRUE(backend.choices().executed().contains("cudnn algorithm 1"));
    std::filesystem::remove_all(folder);
  }
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
