// Grey images and labels, resident in memory as 8-bit values, row after row.
#pragma once
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

}  // namespace fer
