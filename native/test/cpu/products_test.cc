// Products of every table of kernels beside sums in double: as far apart as float32's sums, or as rounding both factors to bf16,
// explain, and the same bits whoever runs them.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <thread>

#include "test/cpu/forms.h"

namespace fer::cpu {
namespace {

enum class Fill { kRandom, kOnes, kRamp, kSparse, kWideRange, kDenormal };

std::vector<float> values(size_t count, Fill fill, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> v(count);
  for (size_t i = 0; i < count; ++i) {
    const float x = normal(random);
    switch (fill) {
      case Fill::kRandom:
        v[i] = x;
        break;
      case Fill::kOnes:
        v[i] = 1;
        break;
      case Fill::kRamp:
        v[i] = static_cast<float>(i % 61) - 30;
        break;  // exact in bf16
      case Fill::kSparse:
        v[i] = random() % 4 ? 0 : x;
        break;
      case Fill::kWideRange:
        v[i] = x * std::ldexp(1.f, static_cast<int>(random() % 41) - 20);
        break;
      case Fill::kDenormal:
        v[i] = x * 1e-39f;
        break;
    }
  }
  return v;
}

// Sums of products, and of their magnitudes: what an error is measured by.
struct Sums {
  std::vector<double> value, magnitude;
  explicit Sums(size_t count, double start = 0) : value(count, start), magnitude(count, start) {}
  void add(size_t i, double product) {
    value[i] += product;
    magnitude[i] += std::abs(product);
  }
};

class ProductsTest : public testing::TestWithParam<Form> {
 protected:
  const Kernels& kernels = *GetParam().kernels;

  void expect_near(const Sums& expected, const std::vector<float>& got, const std::string& what, Fill fill, bool rounds) {
    // Each factor is off by 2^-8 at most; where that averages out the sum's relative error is that of one, about 2^-9. Without
    // rounding, and where it does nothing, float32's sums are left.
    const bool exact = !rounds || fill == Fill::kOnes || fill == Fill::kRamp;
    const double most = exact ? 1e-5 : 0x1p-7 * 1.01;
    double error = 0, size = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double off = std::abs(got[i] - expected.value[i]);
      ASSERT_LE(off, expected.magnitude[i] * most + 1e-30) << what << " at " << i;
      error += off * off;
      size += expected.value[i] * expected.value[i];
    }
    if (rounds && fill == Fill::kRandom) {
      EXPECT_LT(std::sqrt(error / size), 0x1p-8) << what;
      EXPECT_GT(std::sqrt(error / size), 0x1p-12) << what << ": nothing was rounded";
    }
  }

  void check(int m, int segments, int segment_k, int n, Fill fill) {
    const int k = segments * segment_k, stride = segments == 1 ? segment_k + 8 : segment_k / 3 + 8;
    const std::string size = " " + std::to_string(m) + 'x' + std::to_string(k) + 'x' + std::to_string(n);
    std::vector<std::vector<float>> a;
    Rows rows{{}, segments, segment_k, stride};
    for (int s = 0; s < segments; ++s) {
      a.push_back(values(static_cast<size_t>(m - 1) * stride + segment_k, fill, 1 + s));
      rows.segment[s] = a[s].data();
    }
    const std::vector<float> b = values(static_cast<size_t>(k) * n, fill, 9), g = values(static_cast<size_t>(m) * n, fill, 10);
    Sums forward(static_cast<size_t>(m) * n), outer(static_cast<size_t>(k) * n, 0.25);
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < k; ++j)
        for (int o = 0; o < n; ++o) {
          const double x = rows.segment[j / segment_k][static_cast<size_t>(i) * stride + j % segment_k];
          forward.add(static_cast<size_t>(i) * n + o, x * b[static_cast<size_t>(j) * n + o]);
          outer.add(static_cast<size_t>(j) * n + o, x * g[static_cast<size_t>(i) * n + o]);
        }

    std::vector<float> transposed(b.size()), first;
    for (int j = 0; j < k; ++j)
      for (int o = 0; o < n; ++o) transposed[static_cast<size_t>(o) * k + j] = b[static_cast<size_t>(j) * n + o];
    for (const bool flip : {false, true}) {
      std::vector<float> packed(packed_size(k, n)), c(static_cast<size_t>(m) * n, NAN), again(c.size(), 7.f);
      kernels.pack(flip ? transposed.data() : b.data(), k, n, flip, 0, n, packed.data());
      kernels.multiply_rows(m, n, rows, packed.data(), c.data());
      expect_near(forward, c, "rows" + size, fill, GetParam().bf16 && worth_bf16(k, n));
      std::thread([&] { kernels.multiply_rows(m, n, rows, packed.data(), again.data()); }).join();
      EXPECT_EQ(std::memcmp(c.data(), again.data(), c.size() * sizeof(float)), 0) << "another thread, other bits" << size;
      if (flip) {
        EXPECT_EQ(std::memcmp(c.data(), first.data(), c.size() * sizeof(float)), 0) << "transposed, other bits" << size;
      }
      first = c;
    }
    std::vector<float> w(static_cast<size_t>(k) * n, 0.25f), again = w;
    kernels.accumulate_outer(m, n, rows, g.data(), w.data());
    expect_near(outer, w, "outer" + size, fill, GetParam().bf16 && worth_bf16(segment_k, n));
    kernels.accumulate_outer(m, n, rows, g.data(), again.data());
    EXPECT_EQ(std::memcmp(w.data(), again.data(), w.size() * sizeof(float)), 0) << "another run, other bits" << size;
    if (GetParam().bf16) check_half(m, n, rows, a, g, b, first, w, size);
  }

  // Operands that lie in memory as bf16 are what the others are rounded to: `c` and `w`, bit for bit.
  void check_half(int m, int n, const Rows& rows, const std::vector<std::vector<float>>& a, const std::vector<float>& g, const std::vector<float>& b,
                  const std::vector<float>& c, const std::vector<float>& w, const std::string& size) {
    const int k = rows.segments * rows.k;
    auto halves = [&](const std::vector<float>& values) {
      std::vector<Bf16> v(values.size());
      kernels.half.narrow(values.data(), static_cast<ptrdiff_t>(values.size()), v.data());
      return v;
    };
    std::vector<std::vector<Bf16>> half_a;
    RowsOf<Bf16> half_rows{{}, rows.segments, rows.k, rows.stride};
    for (int s = 0; s < rows.segments; ++s) {
      half_a.push_back(halves(a[s]));
      half_rows.segment[s] = half_a[s].data();
    }
    if (worth_bf16(k, n)) {
      std::vector<float> packed(packed_size(k, n)), floats(c.size());
      std::vector<Bf16> stored(c.size()), expected = halves(c);
      kernels.pack(b.data(), k, n, false, 0, n, packed.data());
      kernels.half.multiply_rows_to_floats(m, n, half_rows, packed.data(), floats.data());
      EXPECT_EQ(floats, c) << "rows of bf16" << size;
      kernels.half.multiply_rows(m, n, half_rows, packed.data(), stored.data());
      EXPECT_EQ(std::memcmp(stored.data(), expected.data(), stored.size() * sizeof(Bf16)), 0) << "rows of bf16, stored" << size;
    }
    if (worth_bf16(rows.k, n)) {
      std::vector<float> half_w(w.size(), 0.25f);
      kernels.half.accumulate_outer(m, n, half_rows, halves(g).data(), half_w.data());
      EXPECT_EQ(half_w, w) << "outer of bf16" << size;
    }
  }
};

TEST_P(ProductsTest, OfTheNetworksShapes) {
  for (const auto& [m, k, n] :
       {std::array{264, 64, 128}, {264, 128, 128}, {286, 256, 128}, {242, 256, 512}, {36, 512, 1024}, {288, 16, 16}, {264, 16, 32}, {242, 64, 128}})
    check(m, 1, k, n, Fill::kRandom);
  check(44, 3, 96, 64, Fill::kRandom);
  check(46, 3, 192, 32, Fill::kRandom);
}

TEST_P(ProductsTest, OfOddSizesAndValues) {
  for (const Fill fill : {Fill::kRandom, Fill::kOnes, Fill::kRamp, Fill::kSparse, Fill::kWideRange, Fill::kDenormal})
    for (const int m : {1, 7, 15, 16, 17, 31, 33, 100, 289, 600})
      for (const auto& [k, n] : {std::array{8, 8}, {8, 16}, {16, 8}, {24, 24}, {40, 56}, {16, 16}, {72, 32}, {32, 72}, {104, 40}})
        check(m, 1, k, n, fill);
  for (const int m : {1, 20, 44, 300}) {
    check(m, 3, 24, 16, Fill::kRandom);
    check(m, 3, 24, 24, Fill::kRamp);
    check(m, 3, 72, 40, Fill::kRandom);
    check(m, 3, 3, 32, Fill::kRandom);
  }
}

// Halves to even, denormals to zero, infinities and NaN as they are: a product with the unit matrix is its other factor, rounded.
TEST_P(ProductsTest, RoundAsTheProcessorWould) {
  if (!GetParam().bf16) GTEST_SKIP() << "float32 rounds no factor";
  const auto one_up = [](float x) { return std::nextafter(x, 2 * x); };
  const std::vector<std::array<float, 2>> cases = {{1.f + 0x1p-8f, 1.f},                    // a half, to even
                                                   {1.f + 3 * 0x1p-8f, 1.f + 0x1p-6f},      // a half, to even upwards
                                                   {one_up(1.f + 0x1p-8f), 1.f + 0x1p-7f},  // more than a half
                                                   {-1.f - 0x1p-8f, -1.f},
                                                   {0x1p-126f, 0x1p-126f},
                                                   {0x1.fp-127f, 0.f},
                                                   {-1e-45f, 0.f},
                                                   {0x1.fffffep127f, INFINITY},
                                                   {0.f, 0.f}};
  for (const auto& [in, out] : cases) {
    std::vector<float> unit(16 * 16), packed(packed_size(16, 16)), a(16), c(16);
    for (int i = 0; i < 16; ++i) unit[i * 17] = 1;
    a[3] = in;
    kernels.pack(unit.data(), 16, 16, false, 0, 16, packed.data());
    kernels.multiply_rows(1, 16, {{a.data()}, 1, 16, 16}, packed.data(), c.data());
    EXPECT_EQ(c[3], out) << in;
  }
  for (const float special : {INFINITY, -INFINITY, NAN}) {
    std::vector<float> ones(16 * 16, 1.f), packed(packed_size(16, 16)), a(16), c(16);
    a[5] = special;
    kernels.pack(ones.data(), 16, 16, false, 0, 16, packed.data());
    kernels.multiply_rows(1, 16, {{a.data()}, 1, 16, 16}, packed.data(), c.data());
    if (std::isnan(special)) EXPECT_TRUE(std::isnan(c[7]));
    else EXPECT_EQ(c[7], special);
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, ProductsTest, testing::ValuesIn(forms()), [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace fer::cpu
