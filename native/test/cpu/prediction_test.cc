// Predictions on several threads, which share out the images, and of those that are left over the rows or, where they have few pixels
// left, the columns of products.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <numeric>

#include "cpu/cpu_backend.h"
#include "network/network.h"
#include "test/cpu/forms.h"

namespace fer {
namespace {

class PredictionTest : public testing::TestWithParam<cpu::Form> {};

TEST_P(PredictionTest, IsTheSameBitForBitForAnyNumberOfImagesAndThreads) {
  constexpr uint32_t kImages = 11, kPixels = 48 * 48;
  std::vector<uint8_t> images(size_t{kImages} * kPixels);
  for (uint32_t i = 0; i < images.size(); ++i) images[i] = static_cast<uint8_t>(i * 2654435761u >> 24);
  std::vector<uint32_t> rows(kImages);
  std::iota(rows.begin(), rows.end(), 0u);
  // The last module sees 6 x 6 pixels. 288 columns are nine blocks for up to four threads; 272 are no whole blocks.
  for (const int last : {288, 272}) {
    const Spec spec{.stem = {16, 32}, .modules = {32, 64, 128, last}};
    std::vector<float> alone;
    for (const int threads : {1, 2, 3, 4}) {
      Network network(spec, std::make_unique<cpu::CpuBackend>(threads, *GetParam().kernels), 1);
      if (threads == 1)
        for (const uint32_t row : rows) std::ranges::copy(network.infer(images.data(), 48, &row, 1, false), std::back_inserter(alone));
      for (const size_t n : {1, 2, 3, 5, 11}) {
        const std::vector<float> expected(alone.begin(), alone.begin() + static_cast<ptrdiff_t>(n * 7));
        EXPECT_EQ(network.infer(images.data(), 48, rows.data(), n, false), expected) << n << " images, " << threads << " threads, " << last;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, PredictionTest, testing::ValuesIn(cpu::forms()), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace fer
