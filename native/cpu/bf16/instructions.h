// The instructions that bf16 products are made of: rounding pairs of floats, products of pairs (AVX512-BF16), products of tiles
// (AMX). Each is the processor's own where the compiler was told that it has it (-mavx512bf16, -mamx-bf16), and worked out with
// AVX-512 where not: so the tests run the same kernels on processors without.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "cpu/passes/vector.h"

namespace fer::cpu::FER_ISA {

// 32 floats as bf16, `low` first: to the nearest, ties to even, denormals to zero.
inline __m512i rounded(__m512 low, __m512 high) {
#ifdef __AVX512BF16__
  return (__m512i)_mm512_cvtne2ps_pbh(high, low);
#else
  const auto one = [](__m512 v) { return _mm512_cvtepi32_epi16((__m512i)upper_halves<16>((V<16>)v)); };
  return _mm512_inserti64x4(_mm512_castsi256_si512(one(low)), one(high), 1);
#endif
}

// sums[i] += the product of pairs i of a and b.
inline __m512 add_products(__m512 sums, __m512i a, __m512i b) {
#ifdef __AVX512BF16__
  return _mm512_dpbf16_ps(sums, (__m512bh)a, (__m512bh)b);
#else
  const auto odd = [](__m512i v) { return _mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(static_cast<int>(0xffff0000)))); };
  const auto even = [](__m512i v) { return _mm512_castsi512_ps(_mm512_slli_epi32(v, 16)); };
  return _mm512_fmadd_ps(even(a), even(b), _mm512_fmadd_ps(odd(a), odd(b), sums));
#endif
}

#ifdef FER_TILES
// The tile registers: 16 lines of 64 bytes each. Strides in bytes.
#ifdef __AMX_BF16__
// Macros, because a register's number is part of the instruction. GCC's loads do not tell the compiler that they read memory:
// whoever writes an operand calls operands_written before the tiles read it.
#define FER_TILE_ZERO(tile) _tile_zero(tile)
#define FER_TILE_LOAD(tile, from, stride) _tile_loadd(tile, from, stride)
#define FER_TILE_STORE(tile, to, stride) _tile_stored(tile, to, stride)
#define FER_TILE_ADD_PRODUCTS(sums, left, right) _tile_dpbf16ps(sums, left, right)
inline void operands_written() { asm volatile("" ::: "memory"); }

// The registers' shape, for as long as this lives; it is a thread's own. Given back at the end of each kernel: a thread that is
// switched away with live tiles has 8 KB more to save, and Node's own threads would keep them for ever.
class TileShape {
 public:
  TileShape() {
    struct alignas(64) {
      uint8_t palette = 1, start_row = 0, reserved[14] = {};
      uint16_t column_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } shape;
    // GCC's intrinsic names only the first bytes as input, and the compiler would drop the rest.
    asm volatile("ldtilecfg %0" ::"m"(shape));
  }
  ~TileShape() { _tile_release(); }
  TileShape(const TileShape&) = delete;
  TileShape& operator=(const TileShape&) = delete;
};
#else
inline thread_local uint8_t tile_registers[8][16][64];
inline void tile_zero(int tile) { std::memset(tile_registers[tile], 0, sizeof tile_registers[tile]); }
inline void tile_load(int tile, const void* from, ptrdiff_t stride) {
  for (int i = 0; i < 16; ++i) std::memcpy(tile_registers[tile][i], static_cast<const char*>(from) + i * stride, 64);
}
inline void tile_store(int tile, void* to, ptrdiff_t stride) {
  for (int i = 0; i < 16; ++i) std::memcpy(static_cast<char*>(to) + i * stride, tile_registers[tile][i], 64);
}
inline void tile_add_products(int sums, int left, int right) {
  for (int i = 0; i < 16; ++i) {
    __m512 line = _mm512_loadu_ps(tile_registers[sums][i]);
    for (int k = 0; k < 16; ++k) {
      int pair;
      std::memcpy(&pair, tile_registers[left][i] + 4 * k, sizeof pair);
      line = add_products(line, _mm512_set1_epi32(pair), _mm512_loadu_si512(tile_registers[right][k]));
    }
    _mm512_storeu_ps(tile_registers[sums][i], line);
  }
}
#define FER_TILE_ZERO tile_zero
#define FER_TILE_LOAD tile_load
#define FER_TILE_STORE tile_store
#define FER_TILE_ADD_PRODUCTS tile_add_products
inline void operands_written() {}
struct TileShape {
  TileShape() {}  // not trivial, so that one that only stands there is no unused variable
};
#endif
#endif

}  // namespace fer::cpu::FER_ISA
