// bf16 products on processors without instructions for them: both factors are rounded as those would round them, and multiplied
// as float32. Slower than float32 itself; it is there so that every machine can run, test and resume what another began.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "cpu/passes/passes.h"
#include "cpu/passes/vector.h"
#include "cpu/products/products.h"
#include "cpu/thread_room.h"

namespace fer::cpu::FER_ISA {
namespace {

inline constexpr int kRows = 288;  // at once

// `count` values as floats, rounded to bf16 if so asked. What is stored as bf16 is so already.
template <class S>
void take(const S* in, int count, bool rounds, float* out) {
  auto eight = [rounds](const S* from, float* to) {
    V<8> v = load<8>(from);
    if (rounds && std::is_same_v<S, float>) v = (V<8>)(upper_halves<8>(v) << 16);
    store<8>(to, v);
  };
  int i = 0;
  for (; i + 8 <= count; i += 8) eight(in + i, out + i);
  if (i == count) return;
  S in_rest[8] = {};
  float out_rest[8];
  std::memcpy(in_rest, in + i, (count - i) * sizeof(S));
  eight(in_rest, out_rest);
  std::memcpy(out + i, out_rest, (count - i) * sizeof(float));
}

float* room(Room which, ptrdiff_t count) { return static_cast<float*>(thread_room(which, sizeof(float) * count)); }

// Rows [first, first + m) of A as floats. They may overlap, as those of a 3x3 convolution do: what lies between first and last is
// taken once.
template <class S>
Rows taken(const RowsOf<S>& a, ptrdiff_t first, int m, bool rounds) {
  const auto count = static_cast<int>((m - 1) * a.stride + a.k);
  float* to = room(Room::kLeft, ptrdiff_t{a.segments} * count);
  Rows rows{{}, a.segments, a.k, a.stride};
  for (int s = 0; s < a.segments; ++s, to += count) {
    take(a.segment[s] + first * a.stride, count, rounds, to);
    rows.segment[s] = to;
  }
  return rows;
}

}  // namespace

void rounded_pack(const float* b, int k, int n, bool transposed, int first, int end, float* packed) {
  pack(b, k, n, transposed, first, end, packed);
  if (worth_bf16(k, n))
    for (int i = first; i < end; ++i) take(packed + static_cast<ptrdiff_t>(i) * k, k, true, packed + static_cast<ptrdiff_t>(i) * k);
}

template <class S, class C>
void rounded_multiply_rows(int m, int n, const RowsOf<S>& a, const float* packed, C* c) {
  const bool rounds = worth_bf16(a.segments * a.k, n);
  if constexpr (std::is_same_v<S, float> && std::is_same_v<C, float>)
    if (!rounds) return multiply_rows(m, n, a, packed, c);
  for (int first = 0; first < m; first += kRows, c += static_cast<ptrdiff_t>(kRows) * n) {
    const int rows = std::min(kRows, m - first);
    const Rows left = taken(a, first, rows, rounds);
    if constexpr (std::is_same_v<C, float>) {
      multiply_rows(rows, n, left, packed, c);
    } else {
      float* floats = room(Room::kRight, ptrdiff_t{rows} * n);
      multiply_rows(rows, n, left, packed, floats);
      narrow(floats, static_cast<ptrdiff_t>(rows) * n, c);
    }
  }
}

template <class S>
void rounded_accumulate_outer(int m, int n, const RowsOf<S>& a, const S* c, float* w) {
  const bool rounds = worth_bf16(a.k, n);
  if constexpr (std::is_same_v<S, float>)
    if (!rounds) return accumulate_outer(m, n, a, c, w);
  float* right = room(Room::kRight, ptrdiff_t{std::min(m, kRows)} * n);
  for (int first = 0; first < m; first += kRows, c += static_cast<ptrdiff_t>(kRows) * n) {
    const int rows = std::min(kRows, m - first);
    take(c, rows * n, rounds, right);
    accumulate_outer(rows, n, taken(a, first, rows, rounds), right, w);
  }
}

template void rounded_multiply_rows(int, int, const RowsOf<float>&, const float*, float*);
template void rounded_multiply_rows(int, int, const RowsOf<Bf16>&, const float*, float*);
template void rounded_multiply_rows(int, int, const RowsOf<Bf16>&, const float*, Bf16*);
template void rounded_accumulate_outer(int, int, const RowsOf<float>&, const float*, float*);
template void rounded_accumulate_outer(int, int, const RowsOf<Bf16>&, const Bf16*, float*);

}  // namespace fer::cpu::FER_ISA
