// Division by a number that is known before the launch, as a multiplication: a GPU has no instruction for integer division.
#pragma once
#include "cuda/runtime.h"

namespace fer::cuda {

// Of dividends 0 <= n < 2^31. With s = ceil(log2 d) and m = ceil(2^(31 + s) / d) the quotient is floor(n m / 2^(31 + s)), because
// n (m d - 2^(31 + s)) < 2^31 2^s (Granlund and Montgomery, "Division by Invariant Integers using Multiplication", 1994).
class Divisor {
 public:
  Divisor(int divisor) : divisor_(divisor) {  // NOLINT(google-explicit-constructor): a number where a kernel's caller has one
    while (uint64_t{1} << shift_ < static_cast<uint64_t>(divisor)) ++shift_;
    multiplier_ = static_cast<unsigned>(((uint64_t{1} << (31 + shift_)) + divisor - 1) / divisor);
  }
  struct Result {
    int quotient, remainder;
  };
  __device__ Result operator()(int n) const {
    const int quotient = static_cast<int>(__umulhi(2u * static_cast<unsigned>(n), multiplier_) >> shift_);
    return {quotient, n - quotient * divisor_};
  }

 private:
  int divisor_;
  unsigned multiplier_ = 0, shift_ = 0;
};

// Position of row `row` of [n][size][size].
struct Position {
  int n, y, x;
};
__device__ inline Position position(int row, const Divisor& size) {
  const auto [line, x] = size(row);
  const auto [n, y] = size(line);
  return {n, y, x};
}

}  // namespace fer::cuda
