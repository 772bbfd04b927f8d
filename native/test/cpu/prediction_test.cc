// Predictions of one image on several threads, which share out its rows or, where it has few pixels left, the columns of products.
#include <gtest/gtest.h>

#include "cpu/cpu_backend.h"
#include "network/network.h"
#include "test/cpu/forms.h"

namespace fer {
namespace {

class PredictionTest : public testing::TestWithParam<cpu::Form> {};

TEST_P(PredictionTest, OfOneImageIsTheSameBitForBitOnAnyNumberOfThreads) {
  std::vector<uint8_t> image(size_t{48} * 48);
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<uint8_t>(static_cast<uint32_t>(i) * 2654435761u >> 24);
  const uint32_t row = 0;
  // The last module sees 6 x 6 pixels. 288 columns are nine blocks for up to four threads; 272 are no whole blocks.
  for (const int last : {288, 272}) {
    const Spec spec{.stem = {16, 32}, .modules = {32, 64, 128, last}};
    std::vector<float> alone;
    for (const int threads : {1, 2, 3, 4}) {
      Network network(spec, std::make_unique<cpu::CpuBackend>(threads, *GetParam().kernels), 1);
      const std::vector<float> logits = network.infer(image.data(), 48, &row, 1, false);
      if (threads == 1) alone = logits;
      EXPECT_EQ(logits, alone) << threads << " threads, " << last << " columns";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, PredictionTest, testing::ValuesIn(cpu::forms()), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace fer
