// A chain of perturbations over many images of one size, on several threads.
#pragma once
#include <vector>

#include "perturb/perturbation.h"

namespace fer::perturb {

inline constexpr int kLongestSide = 65535;  // pixels: rotations of size "loose" grow an image at every step

struct Chain {
  std::vector<std::unique_ptr<Perturbation>> steps;
  uint32_t first_step = 0;  // number of the first step in a longer chain: draws depend on it

  // Throws Error(ERR_FER_ARGUMENT) where a step would make an image longer than kLongestSide.
  Size output_size(Size in) const;
};

// images [count][height][width] -> out, the same with output_size. Image i draws by seed and rows[i]. threads 0: one a core.
void perturb(const Chain& chain, const uint8_t* images, size_t count, Size size, const uint32_t* rows, uint64_t seed, int threads, uint8_t* out);

}  // namespace fer::perturb
