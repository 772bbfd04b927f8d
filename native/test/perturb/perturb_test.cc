// Every perturbation over odd sizes and extreme parameters: what the sanitizers look at. What the pixels should be is checked
// in test/perturb/.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "perturb/batch.h"
#include "perturb/registry.h"

namespace fer::perturb {
namespace {

using Value = std::variant<double, std::string>;
using Values = std::vector<std::pair<std::string, Value>>;

struct Case {
  const char* type;
  Values values;
};

std::unique_ptr<Perturbation> made(const Case& c) {
  Parameters parameters;
  for (const auto& [name, value] : c.values) parameters.set(name, value);
  return make(c.type, parameters);
}

std::vector<Case> cases() {
  std::vector<Case> all = {
      {"blur", {{"sigma", 0.0}}},
      {"blur", {{"sigma", 50.0}}},
      {"brightness", {{"factor", 100.0}}},
      {"brightness-shift", {{"levels", -255.0}}},
      {"contrast", {{"factor", 100.0}}},
      {"gamma", {{"exponent", 0.05}}},
      {"highlight", {{"strength", 1.0}, {"radius", 0.01}}},
      {"highlight", {{"strength", 1.0}, {"radius", 1.0}, {"x", 0.0}, {"y", 1.0}}},
      {"noise", {{"sigma", 255.0}}},
      {"occlusion", {{"side", 1.0}, {"value", 7.0}}},
      {"occlusion", {{"side", 0.6}, {"value", 7.0}, {"x", 1.0}, {"y", 0.0}}},
      {"shadow", {{"strength", 1.0}, {"softness", 0.0}, {"direction", -360.0}, {"offset", 1.0}}},
      {"shadow", {{"strength", 1.0}, {"softness", 1.0}}},
  };
  for (const char* interpolation : {"nearest", "bilinear", "bicubic"})
    for (const Value& fill : {Value(255.0), Value("reflect"), Value("edge")}) {
      const Values sampling = {{"interpolation", interpolation}, {"fill", fill}};
      auto add = [&](const char* type, Values values) {
        values.insert(values.end(), sampling.begin(), sampling.end());
        all.push_back({type, values});
      };
      for (double degrees : {-360.0, 0.0, 37.3, 90.0, 359.999}) {
        add("rotation", {{"degrees", degrees}, {"size", "crop"}});
        add("rotation", {{"degrees", degrees}, {"size", "loose"}});
      }
      add("scale", {{"factor", 0.1}});
      add("scale", {{"factor", 10.0}});
      add("translation", {{"distance", 1.0}});
      add("translation", {{"distance", 1.0}, {"direction", 135.0}});
    }
  return all;
}

std::vector<uint8_t> run(const Chain& chain, const std::vector<uint8_t>& images, Size size, const std::vector<uint32_t>& rows, int threads) {
  std::vector<uint8_t> out(rows.size() * chain.output_size(size).pixels());
  perturb(chain, images.data(), rows.size(), size, rows.data(), 11, threads, out.data());
  return out;
}

TEST(Perturb, ReadsAndWritesWithinBoundsAndTheSameOnAnyNumberOfThreads) {
  std::set<std::string> types;
  for (const Case& c : cases()) {
    types.insert(c.type);
    for (const Size size : {Size{1, 1}, Size{1, 7}, Size{13, 2}, Size{48, 48}}) {
      Chain chain;
      chain.steps.push_back(made(c));
      const size_t count = size.pixels() > 100 ? 70 : 3;
      std::vector<uint32_t> rows(count, 5);
      rows.back() = 4000000000u;
      std::vector<uint8_t> images(count * size.pixels());
      for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<uint8_t>(i % size.pixels() * 37);
      const std::vector<uint8_t> out = run(chain, images, size, rows, 1);
      EXPECT_EQ(out, run(chain, images, size, rows, 3)) << c.type;
      const size_t pixels = chain.output_size(size).pixels();
      EXPECT_TRUE(std::equal(out.begin(), out.begin() + pixels, out.begin() + pixels)) << c.type << ": rows 5 and 5 differ";
    }
  }
  const std::vector<std::string> listed = perturb::types();
  EXPECT_EQ(types, std::set<std::string>(listed.begin(), listed.end())) << "every type has a case";
}

TEST(Perturb, AChainHandsOnImagesOfChangingSize) {
  Chain chain;
  const Values sampling = {{"size", "loose"}, {"interpolation", "nearest"}, {"fill", 0.0}};
  for (double degrees : {90.0, 30.0, -30.0, -90.0}) {
    Values values = sampling;
    values.emplace_back("degrees", degrees);
    chain.steps.push_back(made({"rotation", values}));
  }
  const Size size{5, 9}, end = chain.output_size(size);
  EXPECT_GT(end.width, 5);
  const std::vector<uint8_t> out = run(chain, std::vector<uint8_t>(2 * size.pixels(), 200), size, {0, 1}, 1);
  EXPECT_EQ(out[(end.height / 2) * end.width + end.width / 2], 200);
  EXPECT_EQ(out[0], 0);
}

// A number out of range would become a size or an index: not a number, too large for an int, or memory without end.
TEST(Perturb, RefusesNumbersOutOfRange) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const Values sampling = {{"size", "loose"}, {"interpolation", "nearest"}, {"fill", 0.0}};
  for (const auto& [type, name, others] :
       std::vector<std::tuple<const char*, const char*, Values>>{{"blur", "sigma", {}},
                                                                 {"rotation", "degrees", sampling},
                                                                 {"scale", "factor", sampling},
                                                                 {"occlusion", "side", {{"value", 0.0}}},
                                                                 {"occlusion", "x", {{"value", 0.0}, {"side", 0.5}}},
                                                                 {"shadow", "direction", {{"strength", 1.0}, {"softness", 0.0}}}})
    for (double value : {nan, infinity, -infinity, 1e308, -1e308, 1e9}) {
      Values values = others;
      values.emplace_back(name, value);
      EXPECT_THROW(made({type, values}), Error) << type << ' ' << name << ' ' << value;
    }
}

TEST(Perturb, RefusesAChainThatGrowsWithoutEnd) {
  Chain chain;
  for (int i = 0; i < 40; ++i)
    chain.steps.push_back(made({"rotation", {{"degrees", 45.0}, {"size", "loose"}, {"interpolation", "nearest"}, {"fill", 0.0}}}));
  EXPECT_THROW(chain.output_size({48, 48}), Error);
}

TEST(Perturb, NamesWhatIsWrong) {
  auto message = [](const Case& c) -> std::string {
    try {
      made(c);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "ERR_FER_ARGUMENT");
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({"twist", {}}), "expected a perturbation this build has, got \"twist\"");
  EXPECT_EQ(message({"blur", {}}), "expected a number, got none, for sigma");
  EXPECT_EQ(message({"scale", {{"factor", 1.0}, {"interpolation", "cubic"}, {"fill", 0.0}}}),
            "expected nearest, bilinear or bicubic, got cubic, for interpolation");
  EXPECT_EQ(message({"scale", {{"factor", 1.0}, {"interpolation", "nearest"}, {"fill", "black"}}}),
            "expected a grey value, reflect or edge, got black, for fill");
}

}  // namespace
}  // namespace fer::perturb
