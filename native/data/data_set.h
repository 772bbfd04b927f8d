// Grey images and labels, resident in memory as 8-bit values, row after row.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fer {

struct DataSet {
  std::vector<uint8_t> images;  // [count][size][size]
  std::vector<uint8_t> labels;
  int size = 0;
  size_t count() const { return labels.size(); }
  size_t pixels() const { return static_cast<size_t>(size) * size; }  // of an image
};

inline constexpr int kLargestSize = 16384;  // pixels a side; indices of pixels are ints

// Throws Error(ERR_FER_ARGUMENT) unless there are size x size pixels a label.
void check(const DataSet& data);

}  // namespace fer
