#include "perturb/batch.h"

#include <atomic>
#include <thread>

#include "base/resources.h"

namespace fer::perturb {
namespace {

constexpr size_t kClaim = 32;               // images a thread takes at a time
constexpr size_t kPixelsAThread = 1 << 17;  // starting a thread costs about as much as some 50 images of 48 x 48

// One image through every step; `between` holds what lies between two of them.
void apply(const Chain& chain, Image image, uint64_t seed, uint32_t row, std::vector<uint8_t> (&between)[2], uint8_t* out) {
  if (chain.steps.empty()) std::copy_n(image.pixels, image.size.pixels(), out);
  for (size_t i = 0; i < chain.steps.size(); ++i) {
    const Size size = chain.steps[i]->output_size(image.size);
    const bool last = i + 1 == chain.steps.size();
    std::vector<uint8_t>& buffer = between[i % 2];
    if (!last) buffer.resize(size.pixels());
    uint8_t* to = last ? out : buffer.data();
    chain.steps[i]->apply(image, Draws(seed, row, chain.first_step + static_cast<uint32_t>(i)), to);
    image = {to, size};
  }
}

}  // namespace

Size Chain::output_size(Size size) const {
  for (const auto& step : steps) {
    size = step->output_size(size);
    if (size.longer() > kLongestSide)
      throw Error("ERR_FER_ARGUMENT", "expected images of at most " + std::to_string(kLongestSide) + " pixels a side, got " +
                                          std::to_string(size.width) + " x " + std::to_string(size.height) + ", for a step of the chain");
  }
  return size;
}

void perturb(const Chain& chain, const uint8_t* images, size_t count, Size size, const uint32_t* rows, uint64_t seed, int threads, uint8_t* out) {
  const size_t out_pixels = chain.output_size(size).pixels();
  std::atomic<size_t> next{0};
  std::exception_ptr failure;
  std::atomic<bool> failed{false};
  auto work = [&] {
    try {
      std::vector<uint8_t> between[2];
      for (size_t begin; !failed && (begin = next.fetch_add(kClaim)) < count;)
        for (size_t i = begin; i < std::min(begin + kClaim, count); ++i)
          apply(chain, {images + i * size.pixels(), size}, seed, rows[i], between, out + i * out_pixels);
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  };
  const size_t wanted = threads > 0 ? threads : static_cast<size_t>(usable_cores());
  const size_t useful = std::min((count + kClaim - 1) / kClaim, 1 + count * size.pixels() / kPixelsAThread);
  {
    std::vector<std::jthread> others(std::max<size_t>(std::min(wanted, useful), 1) - 1);
    for (std::jthread& thread : others) thread = std::jthread(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace fer::perturb
