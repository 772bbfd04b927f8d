// What a perturbation is: 8-bit grey image in, 8-bit grey image out, a pure function of the pixels, its parameters and its
// draws. Each kind has its own file and a line in registry.cc; batch.h applies a chain of them to many images.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/error.h"
#include "base/philox.h"

namespace fer::perturb {

struct Size {
  int width, height;
  size_t pixels() const { return static_cast<size_t>(width) * height; }
  int longer() const { return std::max(width, height); }
  int shorter() const { return std::min(width, height); }
};

struct Image {
  const uint8_t* pixels;  // [height][width]
  Size size;
};

// The random numbers of one image at one step of a chain.
class Draws {
 public:
  Draws(uint64_t seed, uint32_t row, uint32_t step) : seed_(seed), row_(row), step_(step) {}
  Draw operator()(uint32_t block) const { return philox(seed_, {block, row_, step_, static_cast<uint32_t>(Stream::kPerturb)}); }

 private:
  uint64_t seed_;
  uint32_t row_, step_;
};

class Perturbation {
 public:
  virtual ~Perturbation() = default;
  virtual Size output_size(Size in) const { return in; }
  // `out` holds output_size(in.size) pixels and does not overlap `in`. Called from several threads at once.
  virtual void apply(const Image& in, const Draws& draws, uint8_t* out) const = 0;
};

// Both ends included. lib/perturb/ has the same ranges and says more; here they keep memory and arithmetic within bounds.
struct Range {
  double least, most;
};
inline constexpr Range kFraction{0, 1}, kDegrees{-360, 360}, kGreys{0, 255};

// Named values of one perturbation.
class Parameters {
 public:
  void set(const std::string& name, std::variant<double, std::string> value) { values_[name] = std::move(value); }
  // The number of that name, or nothing where it is left to be drawn (or is a word).
  std::optional<double> given(const std::string& name, Range range) const {
    const auto found = values_.find(name);
    if (found == values_.end() || !std::holds_alternative<double>(found->second)) return std::nullopt;
    const double value = std::get<double>(found->second);
    if (!(value >= range.least && value <= range.most))  // NaN is out of every range
      throw Error("ERR_FER_ARGUMENT", "expected a number from " + std::to_string(range.least) + " to " + std::to_string(range.most) + ", got " +
                                          std::to_string(value) + ", for " + name);
    return value;
  }
  double number(const std::string& name, Range range) const {
    if (const auto value = given(name, range)) return *value;
    throw Error("ERR_FER_ARGUMENT", "expected a number, got none, for " + name);
  }
  std::string word(const std::string& name) const {
    const auto found = values_.find(name);
    if (found != values_.end() && std::holds_alternative<std::string>(found->second)) return std::get<std::string>(found->second);
    throw Error("ERR_FER_ARGUMENT", "expected a word, got none, for " + name);
  }

 private:
  std::map<std::string, std::variant<double, std::string>> values_;
};

// To a grey value as MATLAB converts double to uint8: halves away from zero, saturated. (Not std::round and std::floor, which
// are calls on the baseline instruction set and took most of a rotation's time.)
inline uint8_t saturate(double value) { return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5); }

inline int floor_to_int(double value) {
  const int whole = static_cast<int>(value);
  return whole - (value < whole);
}

inline double radians(double degrees) { return degrees * (3.14159265358979323846 / 180.0); }

// A direction as a unit vector, angle counter-clockwise from the right; y points down, as rows do. Quarter turns are exact.
struct Direction {
  explicit Direction(double degrees) {
    const double quarter = degrees / 90.0, whole = std::floor(quarter);
    constexpr int kCosines[] = {1, 0, -1, 0};
    const int turn = static_cast<int>(whole - 4.0 * std::floor(whole / 4.0));
    x = quarter == whole ? kCosines[turn] : std::cos(radians(degrees));
    y = quarter == whole ? -kCosines[(turn + 3) % 4] : -std::sin(radians(degrees));
  }
  double x, y;
};

}  // namespace fer::perturb
