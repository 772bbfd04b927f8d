// Which images an epoch trains on, in which order, and how each drawing of them is augmented. A pure function of rows,
// labels, seed and epoch, so that an interrupted epoch goes on as if it had never stopped.
#pragma once
#include <cstdint>
#include <vector>

#include "data/augment.h"

namespace fer {

struct Sampling {
  float balance = 0;            // 0: every image once; 1: every class equally often
  float rare_augmentation = 0;  // how much wider augmentation's ranges become as a class's share goes to nothing
};

struct EpochOrder {
  std::vector<uint32_t> rows;     // as many as were given
  std::vector<Variant> variants;  // one a row
};

EpochOrder draw_epoch(const std::vector<uint32_t>& rows, const std::vector<uint8_t>& labels, const Sampling& sampling, uint64_t seed, uint32_t epoch);

}  // namespace fer
