// Weights are packed once, and again only after their own memory was written.
#include "cpu/packed_weights.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/philox.h"
#include "cpu/cpu_backend.h"
#include "network/network.h"
#include "network/trainer.h"

namespace fer {
namespace {

int packs = 0;
void counted_pack(const float* b, int k, int n, bool transposed, int first, int end, float* packed) {
  ++packs;
  cpu::instruction_set().fp32().pack(b, k, n, transposed, first, end, packed);
}

cpu::Kernels counting() {
  cpu::Kernels kernels = cpu::instruction_set().fp32();
  kernels.pack = counted_pack;
  packs = 0;
  return kernels;
}

TEST(PackedWeightsTest, AreStaleOnlyWhereTheyWereWritten) {
  const cpu::Kernels kernels = counting();
  std::vector<float> memory(3 * 64);
  std::iota(memory.begin(), memory.end(), 0.f);
  cpu::PackedWeights weights;
  const float *first = weights.get(kernels, memory.data(), 8, 8), *second = weights.get(kernels, memory.data() + 64, 8, 8);
  EXPECT_EQ(packs, 2);
  EXPECT_EQ(weights.get(kernels, memory.data(), 8, 8), first);
  EXPECT_EQ(packs, 2);
  weights.written(memory.data() + 128, 64 * sizeof(float));  // behind both
  weights.get(kernels, memory.data() + 64, 8, 8);
  EXPECT_EQ(packs, 2);
  memory[127] = -1;
  weights.written(memory.data() + 127, sizeof(float));  // the last of the second
  EXPECT_EQ(weights.get(kernels, memory.data() + 64, 8, 8), second);
  weights.get(kernels, memory.data(), 8, 8);
  EXPECT_EQ(packs, 3);
}

// As a fresh network of the same weights would answer, whatever was done in between.
TEST(PackedWeightsTest, PredictionsFollowTheWeights) {
  const cpu::Kernels kernels = counting();
  auto network = std::make_shared<Network>(Spec{}, std::make_unique<cpu::CpuBackend>(2, kernels), 1);
  auto data = std::make_shared<DataSet>();
  data->size = 48;
  for (uint32_t i = 0; i < 4 * 48 * 48; ++i) data->images.push_back(philox(6, {i, 0, 0, 0})[0] >> 24);
  data->labels = {0, 1, 2, 3};
  const std::vector<uint32_t> rows = {0, 1, 2, 3};
  auto answer = [&](Network& of) { return of.infer(data->images.data(), 48, rows.data(), 4, false); };
  auto expect_current = [&](const char* what) {
    Network fresh(Spec{}, std::make_unique<cpu::CpuBackend>(2), 2);
    for (const TensorInfo& t : network->plan().tensors) fresh.write(t, network->read(t));
    EXPECT_EQ(answer(*network), answer(fresh)) << what;
  };

  expect_current("new");
  const int once = packs;
  expect_current("asked again");
  EXPECT_EQ(packs, once) << "nothing was packed for the second prediction";
  for (const TensorInfo& t : network->plan().tensors) {
    if (t.storage != Storage::kConvolution) continue;
    std::vector<float> values = network->read(t);
    values[0] += 0.5f;
    network->write(t, values);
    expect_current(t.name.c_str());
  }
  TrainerOptions options;
  options.batch_size = 4;
  Trainer trainer(network, data, options);
  const std::atomic<bool> never{false};
  trainer.train_epoch({.epoch = 0, .rows = rows, .learning_rates = {0.05f}, .from = {}}, never, nullptr);
  expect_current("trained");
}

}  // namespace
}  // namespace fer
