// The bits of a test's results as one number, recorded with it: two builds whose numbers agree compute the same (scripts/ptx-tests.sh).
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <sstream>
#include <vector>

namespace fer {

class Bits {
 public:
  void add(const std::vector<float>& values) {
    for (const float v : values) {
      uint32_t bits;
      std::memcpy(&bits, &v, sizeof bits);
      hash_ = (hash_ ^ bits) * 1099511628211u;  // FNV-1a, a word at a time
    }
  }
  void record() const { testing::Test::RecordProperty("bits", (std::ostringstream() << std::hex << hash_).str()); }

 private:
  uint64_t hash_ = 14695981039346656037u;
};

}  // namespace fer
