// Chains of perturbations with any parameters: refused, or the same pixels twice.
#include <iterator>

#include "perturb/batch.h"
#include "perturb/registry.h"
#include "test/fuzz/input.h"

namespace fer::fuzz {
namespace {

constexpr size_t kMostPixels = 1 << 11;  // more take their time and show nothing new

// Every name that one of them reads, with the widest of their ranges.
struct Number {
  const char* name;
  double least, most;
};
constexpr Number kNumbers[] = {{"sigma", 0, 10},   {"levels", -255, 255},    {"factor", 0, 10}, {"exponent", 0.05, 20},
                               {"strength", 0, 1}, {"radius", 0.01, 1},      {"x", 0, 1},       {"y", 0, 1},
                               {"side", 0, 1},     {"value", 0, 255},        {"fill", 0, 255},  {"degrees", -360, 360},
                               {"distance", 0, 1}, {"direction", -360, 360}, {"offset", -1, 1}, {"softness", 0, 1}};
struct Word {
  const char *name, *value;
};
constexpr Word kWords[] = {{"interpolation", "nearest"},
                           {"interpolation", "bilinear"},
                           {"interpolation", "bicubic"},
                           {"interpolation", "cubic"},
                           {"fill", "reflect"},
                           {"fill", "edge"},
                           {"size", "loose"},
                           {"size", "crop"},
                           {"sigma", "1"}};

std::unique_ptr<perturb::Perturbation> made(Input& input) {
  static const std::vector<std::string> types = perturb::types();
  perturb::Parameters parameters;
  parameters.set("interpolation", "bilinear");
  parameters.set("size", "loose");
  for (const Number& number : kNumbers)
    if (input.any<uint8_t>() < 230) parameters.set(number.name, input.about(number.least, number.most));
  for (int words = input.between(0, 3); words > 0; --words) {
    const Word& word = kWords[input.between(0, std::size(kWords) - 1)];
    parameters.set(word.name, word.value);
  }
  return perturb::make(types[input.between(0, static_cast<int>(types.size()) - 1)], parameters);
}

void run(Input& input) {
  perturb::Chain chain;
  const perturb::Size size = {input.between(1, 20), input.between(1, 20)};
  const auto seed = input.any<uint64_t>();
  const uint32_t rows[] = {input.any<uint32_t>(), 7};
  chain.first_step = input.any<uint32_t>();
  for (int steps = input.between(0, 12); steps > 0; --steps) chain.steps.push_back(made(input));
  const perturb::Size out_size = chain.output_size(size);
  must(out_size.width > 0 && out_size.height > 0, "an image has pixels");
  if (out_size.pixels() > kMostPixels) return;
  std::vector<uint8_t> images(std::size(rows) * size.pixels());
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<uint8_t>(i * 29 + seed);
  std::vector<uint8_t> first(std::size(rows) * out_size.pixels(), 1), second(first.size(), 2);
  perturb::perturb(chain, images.data(), std::size(rows), size, rows, seed, 1, first.data());
  perturb::perturb(chain, images.data(), std::size(rows), size, rows, seed, 1, second.data());
  must(first == second, "the same chain gives the same pixels, all of them written");
}

}  // namespace
}  // namespace fer::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fer::fuzz;
  Input input(data, size);
  runs([&] { run(input); }, {"ERR_FER_ARGUMENT"});
  return 0;
}
