#include "data/data_set.h"

#include "base/error.h"

namespace fer {

void check(const DataSet& data) {
  if (data.size < 1 || data.size > kLargestSize)
    throw Error("ERR_FER_ARGUMENT", "expected 1 to " + std::to_string(kLargestSize) + " pixels, got " + std::to_string(data.size) +
                                        ", for the side of a data set's images");
  // By division: the product of what a caller says may be larger than a size can hold.
  const size_t pixels = static_cast<size_t>(data.size) * data.size;
  if (data.images.size() % pixels != 0 || data.images.size() / pixels != data.count())
    throw Error("ERR_FER_ARGUMENT", "expected images of labels x size x size bytes, got " + std::to_string(data.images.size()) + " bytes for " +
                                        std::to_string(data.count()) + " labels of size " + std::to_string(data.size) + ", for a data set");
}

}  // namespace fer
