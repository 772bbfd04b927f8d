// Gaussian blur: across, then down, rounded once at the end; the border is repeated.
#include <vector>

#include "perturb/perturbation.h"

namespace fer::perturb {
namespace {

constexpr double kCutOff = 4;  // standard deviations; what lies beyond is 6e-5 of the weight

std::vector<double> kernel_of(double sigma) {
  const int radius = static_cast<int>(kCutOff * sigma + 0.5);
  std::vector<double> kernel(2 * radius + 1, 1.0);
  double sum = 0;
  for (int i = -radius; i <= radius; ++i)
    if (radius > 0) sum += kernel[i + radius] = std::exp(-0.5 * i * i / (sigma * sigma));
  if (radius > 0)
    for (double& weight : kernel) weight /= sum;
  return kernel;
}

class Blur : public Perturbation {
 public:
  explicit Blur(const Parameters& p) : kernel_(kernel_of(p.number("sigma", {0, 50}))), radius_(static_cast<int>(kernel_.size() / 2)) {}

  void apply(const Image& in, const Draws&, uint8_t* out) const override {
    const auto [width, height] = in.size;
    std::vector<double> across(in.size.pixels()), line(width + 2 * radius_);
    for (int y = 0; y < height; ++y) {
      const uint8_t* row = in.pixels + static_cast<size_t>(y) * width;
      for (int x = 0; x < width + 2 * radius_; ++x) line[x] = row[std::clamp(x - radius_, 0, width - 1)];
      double* to = across.data() + static_cast<size_t>(y) * width;
      for (size_t k = 0; k < kernel_.size(); ++k)
        for (int x = 0; x < width; ++x) to[x] += kernel_[k] * line[x + k];
    }
    line.resize(width);
    for (int y = 0; y < height; ++y) {
      std::fill(line.begin(), line.end(), 0.0);
      for (int k = -radius_; k <= radius_; ++k) {
        const double* row = across.data() + static_cast<size_t>(std::clamp(y + k, 0, height - 1)) * width;
        for (int x = 0; x < width; ++x) line[x] += kernel_[k + radius_] * row[x];
      }
      for (int x = 0; x < width; ++x) *out++ = saturate(line[x]);
    }
  }

 private:
  std::vector<double> kernel_;
  int radius_;
};

}  // namespace

std::unique_ptr<Perturbation> make_blur(const Parameters& p) { return std::make_unique<Blur>(p); }

}  // namespace fer::perturb
