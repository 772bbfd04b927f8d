// How ops look at their input and cut their work; shared by forward and backward.
#pragma once
#include <algorithm>

#include "backend.h"
#include "cpu/kernels.h"

namespace fer::cpu {

inline Affine pending(const View& view) {
  return view.bn ? Affine{view.bn->scale, view.bn->shift, true} : Affine{nullptr, nullptr, false};
}

// Images a group: enough rows to fill the matrix kernel's tiles, few enough to stay in the second-level cache.
inline int group_size(int pixels) { return std::max(1, 288 / std::max(pixels, 1)); }

}  // namespace fer::cpu
