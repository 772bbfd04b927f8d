// What a fuzz target makes its case of, and how it says that something is wrong. A target is one file: it turns any bytes into a call
// of the core, and checks that the answer is right or an Error of the code that is documented. The fuzzer looks for bytes that
// reach new code (libFuzzer; scripts/fuzz.mjs builds and runs all), replay.cc gives the corpus to the same function where there is none.
#pragma once
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace fer::fuzz {

// The fuzzer's bytes, read as values in order; zeros once they are used up.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : data_(data), left_(size) {}

  size_t left() const { return left_; }

  // Any bit pattern.
  template <class T>
  T any() {
    T value{};
    const size_t bytes = std::min(sizeof value, left_);
    if (bytes > 0) std::memcpy(&value, data_, bytes);
    data_ += bytes;
    left_ -= bytes;
    return value;
  }
  bool yes() { return any<uint8_t>() & 1; }

  // A whole number of the range, both ends included: of a byte's worth of it, so that small inputs reach all of it.
  int between(int least, int most) { return least + any<uint8_t>() % (most - least + 1); }

  // Mostly of the range, sometimes an extreme or any other value: both sides of a check must be reached.
  template <class T>
  T about(T least, T most) {
    const uint8_t kind = any<uint8_t>();
    if (kind == 255) return any<T>();
    if (kind == 254) return std::numeric_limits<T>::max();
    if (kind == 253) return std::numeric_limits<T>::lowest();
    if constexpr (std::is_floating_point_v<T>) {
      if (kind == 252) return std::numeric_limits<T>::quiet_NaN();
      if (kind == 251) return std::numeric_limits<T>::infinity();
      return least + (most - least) * static_cast<T>(kind) / 250;
    } else {
      return static_cast<T>(least + static_cast<T>(kind % (most - least + 1)));
    }
  }

  // All that is left.
  std::string_view rest() {
    const std::string_view text(reinterpret_cast<const char*>(data_), left_);
    data_ += left_;
    left_ = 0;
    return text;
  }

 private:
  const uint8_t* data_;
  size_t left_;
};

// Ends the process, which makes the fuzzer keep the input.
inline void must(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "expected that %s\n", what);
  std::abort();
}

// Whether `body` ran to its end. An Error of another code than the documented ones is a fault.
template <class Body>
bool runs(Body&& body, std::initializer_list<std::string_view> codes) {
  try {
    body();
    return true;
  } catch (const Error& error) {
    for (const std::string_view code : codes)
      if (error.code() == code) return false;
    std::fprintf(stderr, "%s: %s\n", error.code().c_str(), error.what());
    must(false, "the error has one of the documented codes");
  }
  return false;
}

}  // namespace fer::fuzz
