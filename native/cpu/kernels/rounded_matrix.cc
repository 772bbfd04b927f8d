// bf16 products on processors without instructions for them: both factors are rounded as those would round them, and multiplied
// as float32. Slower than float32 itself; it is there so that every machine can run, test and resume what another began.
#include <algorithm>
#include <cstring>

#include "cpu/kernels/table.h"
#include "cpu/kernels/vector.h"
#include "cpu/thread_room.h"

namespace fer::cpu::FER_ISA {
namespace {

inline constexpr int kRows = 288;  // rounded at once

// To the nearest with 8 significant bits, ties to even; denormals to zero, as AVX512-BF16 and AMX have it.
FER_INLINE V<8> rounded(V<8> v) {
  typedef uint32_t U __attribute__((vector_size(32)));
  const U bits = (U)v, magnitude = bits & 0x7fffffffu;
  const U nearest = bits + ((bits >> 16 & 1) + 0x7fff);
  const U kept = magnitude > 0x7f800000u ? bits | 0x400000u : nearest;  // a NaN stays one
  return (V<8>)(magnitude < 0x800000u ? bits & 0x80000000u : kept & 0xffff0000u);
}

void round_row(const float* in, int count, float* out) {
  int i = 0;
  for (; i + 8 <= count; i += 8) store<8>(out + i, rounded(load<8>(in + i)));
  if (i == count) return;
  float rest[8] = {};
  std::memcpy(rest, in + i, (count - i) * sizeof(float));
  store<8>(rest, rounded(load<8>(rest)));
  std::memcpy(out + i, rest, (count - i) * sizeof(float));
}

// Rows [first, first + m) of A, rounded, side by side.
Rows rounded_rows(const Rows& a, ptrdiff_t first, int m) {
  const int k = a.segments * a.k;
  float* room = static_cast<float*>(thread_room(Room::kLeft, sizeof(float) * k * std::min(m, kRows)));
  for (int i = 0; i < m; ++i)
    for (int s = 0; s < a.segments; ++s) round_row(a.segment[s] + (first + i) * a.stride, a.k, room + static_cast<ptrdiff_t>(i) * k + s * a.k);
  return {{room, room + a.k, room + 2 * static_cast<ptrdiff_t>(a.k)}, a.segments, a.k, k};
}

}  // namespace

void rounded_pack(const float* b, int k, int n, bool transposed, float* packed) {
  pack(b, k, n, transposed, packed);
  if (worth_bf16(k, n))
    for (int i = 0; i < n; ++i) round_row(packed + static_cast<ptrdiff_t>(i) * k, k, packed + static_cast<ptrdiff_t>(i) * k);
}

void rounded_multiply_rows(int m, int n, const Rows& a, const float* packed, float* c) {
  if (!worth_bf16(a.segments * a.k, n)) return multiply_rows(m, n, a, packed, c);
  for (int first = 0; first < m; first += kRows) {
    const int rows = std::min(kRows, m - first);
    multiply_rows(rows, n, rounded_rows(a, first, rows), packed, c + static_cast<ptrdiff_t>(first) * n);
  }
}

void rounded_accumulate_outer(int m, int n, const Rows& a, const float* c, float* w) {
  if (!worth_bf16(a.k, n)) return accumulate_outer(m, n, a, c, w);
  float* right = static_cast<float*>(thread_room(Room::kRight, sizeof(float) * n * std::min(m, kRows)));
  for (int first = 0; first < m; first += kRows) {
    const int rows = std::min(kRows, m - first);
    for (int i = 0; i < rows; ++i) round_row(c + static_cast<ptrdiff_t>(first + i) * n, n, right + static_cast<ptrdiff_t>(i) * n);
    accumulate_outer(rows, n, rounded_rows(a, first, rows), right, w);
  }
}

}  // namespace fer::cpu::FER_ISA
