// Instructions on registers: how a lane's values are combined, and over which lanes. From the PTX ISA manual.
#pragma once
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "warp.h"

namespace ptx {

template <class D, class A, class F>
void unary(Warp& w, const Inst& i, uint32_t mask) {
  D* d = reg<D>(w, i.o[0]);
  const A* a = reg<A>(w, i.o[1]);
  lanes(mask, [&](int l) { d[l] = F()(a[l]); });
}
template <class D, class A, class B, class F>
void binary(Warp& w, const Inst& i, uint32_t mask) {
  D* d = reg<D>(w, i.o[0]);
  const A* a = reg<A>(w, i.o[1]);
  const B* b = reg<B>(w, i.o[2]);
  lanes(mask, [&](int l) { d[l] = F()(a[l], b[l]); });
}
template <class D, class A, class C, class F>
void ternary(Warp& w, const Inst& i, uint32_t mask) {
  D* d = reg<D>(w, i.o[0]);
  const A *a = reg<A>(w, i.o[1]), *b = reg<A>(w, i.o[2]);
  const C* c = reg<C>(w, i.o[3]);
  lanes(mask, [&](int l) { d[l] = F()(a[l], b[l], c[l]); });
}
template <class T, class F>
void compare(Warp& w, const Inst& i, uint32_t mask) {
  const T *a = reg<T>(w, i.o[1]), *b = reg<T>(w, i.o[2]);
  uint32_t result = 0;
  for (int l = 0; l < 32; ++l) result |= static_cast<uint32_t>(F()(a[l], b[l])) << l;
  uint32_t& d = pred(w, i.o[0]);
  d = (d & ~mask) | (result & mask);
}
template <class T>
void select(Warp& w, const Inst& i, uint32_t mask) {
  T* d = reg<T>(w, i.o[0]);
  const T *a = reg<T>(w, i.o[1]), *b = reg<T>(w, i.o[2]);
  const uint32_t p = pred(w, i.o[3]);
  lanes(mask, [&](int l) { d[l] = (p >> l & 1) ? a[l] : b[l]; });
}
template <class F>
void logic(Warp& w, const Inst& i, uint32_t mask) {
  uint32_t& d = pred(w, i.o[0]);
  d = (d & ~mask) | (F()(pred(w, i.o[1]), pred(w, i.o[2])) & mask);
}

#define OP2(name, expression)         \
  struct name {                       \
    template <class A, class B>       \
    auto operator()(A a, B b) const { \
      return expression;              \
    }                                 \
  };
#define OP1(name, expression)    \
  struct name {                  \
    template <class A>           \
    auto operator()(A a) const { \
      return expression;         \
    }                            \
  };
// Integers wrap: in unsigned arithmetic.
template <class T>
using Wrap = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, std::type_identity<T>>::type;
OP2(Add, static_cast<A>(static_cast<Wrap<A>>(a) + static_cast<Wrap<B>>(b)))
OP2(Sub, static_cast<A>(static_cast<Wrap<A>>(a) - static_cast<Wrap<B>>(b)))
struct Mul {
  template <class A>
  A operator()(A a, A b) const {
    if constexpr (std::is_floating_point_v<A>) return a * b;
    else return static_cast<A>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
};
struct Div {
  template <class A>
  A operator()(A a, A b) const {
    if constexpr (std::is_floating_point_v<A>) return a / b;
    else if (b == 0) return static_cast<A>(-1);
    else if (std::is_signed_v<A> && b == static_cast<A>(-1)) return static_cast<A>(Wrap<A>(0) - static_cast<Wrap<A>>(a));
    else return static_cast<A>(a / b);
  }
};
struct Rem {
  template <class A>
  A operator()(A a, A b) const {
    if (b == 0) return a;
    if (std::is_signed_v<A> && b == static_cast<A>(-1)) return 0;
    return static_cast<A>(a % b);
  }
};
struct Max {
  template <class A>
  A operator()(A a, A b) const {
    if constexpr (std::is_floating_point_v<A>) {
      if (a == b) return std::signbit(a) ? b : a;
      return a > b || b != b ? a : b;
    } else return a > b ? a : b;
  }
};
struct Min {
  template <class A>
  A operator()(A a, A b) const {
    if constexpr (std::is_floating_point_v<A>) {
      if (a == b) return std::signbit(a) ? a : b;
      return a < b || b != b ? a : b;
    } else return a < b ? a : b;
  }
};
OP2(And, static_cast<A>(a& b))
OP2(Or, static_cast<A>(a | b))
OP2(Xor, static_cast<A>(a ^ b))
OP1(Not, static_cast<A>(~a))
OP1(Same, a)
struct Neg {
  template <class A>
  A operator()(A a) const {
    if constexpr (std::is_floating_point_v<A>) return -a;
    else return static_cast<A>(Wrap<A>(0) - static_cast<Wrap<A>>(a));
  }
};
struct Abs {
  template <class A>
  A operator()(A a) const {
    if constexpr (std::is_floating_point_v<A>) return std::fabs(a);
    else return a < 0 ? Neg()(a) : a;
  }
};
OP1(Sqrt, std::sqrt(a))
OP1(Rcp, static_cast<A>(1) / a)
// To 0..1; of no number, 0.
OP1(Saturate, a > 0 ? std::min(a, static_cast<A>(1)) : static_cast<A>(0))
// 2^a within two units in the last place, subnormal results and operands as zero.
struct Exp2Approx {
  float operator()(float a) const {
    const float result = std::exp2(std::fpclassify(a) == FP_SUBNORMAL ? 0.f : a);
    return std::fpclassify(result) == FP_SUBNORMAL ? 0.f : result;
  }
};
OP2(Shl, b >= sizeof(A) * 8 ? static_cast<A>(0) : static_cast<A>(a << b))
struct Shr {
  template <class A>
  A operator()(A a, uint32_t b) const {
    if (b >= sizeof(A) * 8) return std::is_signed_v<A> && a < 0 ? static_cast<A>(-1) : static_cast<A>(0);
    return static_cast<A>(a >> b);
  }
};
struct MulHi32 {
  int32_t operator()(int32_t a, int32_t b) const { return static_cast<int32_t>(static_cast<int64_t>(a) * b >> 32); }
  uint32_t operator()(uint32_t a, uint32_t b) const { return static_cast<uint32_t>(static_cast<uint64_t>(a) * b >> 32); }
};
template <class D>
struct MulWide {
  template <class A>
  D operator()(A a, A b) const {
    return static_cast<D>(static_cast<D>(a) * static_cast<D>(b));
  }
};
struct Fma {
  float operator()(float a, float b, float c) const { return __builtin_fmaf(a, b, c); }
  double operator()(double a, double b, double c) const { return __builtin_fma(a, b, c); }
};
// Rounded towards minus infinity. The volatile keeps the multiplication between the changes of the mode.
struct FmaDown {
  float operator()(float a, float b, float c) const {
    const int before = std::fegetround();
    std::fesetround(FE_DOWNWARD);
    volatile float x = a;
    volatile float result = __builtin_fmaf(x, b, c);
    std::fesetround(before);
    return result;
  }
};
struct MadLo {
  template <class A>
  A operator()(A a, A b, A c) const {
    return static_cast<A>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b) + static_cast<uint64_t>(c));
  }
};
template <class D>
struct MadWide {
  template <class A>
  D operator()(A a, A b, D c) const {
    return static_cast<D>(static_cast<uint64_t>(static_cast<D>(a) * static_cast<D>(b)) + static_cast<uint64_t>(c));
  }
};
// A gross approximation with an upper half alone, as the manual describes it; its Newton steps follow in the code.
struct RcpApproxF64 {
  double operator()(double a) const {
    double r = std::fpclassify(a) == FP_SUBNORMAL ? std::copysign(INFINITY, a) : 1 / a;
    if (std::fpclassify(r) == FP_SUBNORMAL) r = std::copysign(0.0, r);
    uint64_t bits;
    std::memcpy(&bits, &r, 8);
    bits &= 0xffffffff00000000u;
    std::memcpy(&r, &bits, 8);
    return r;
  }
};
OP2(Eq, a == b)
OP2(Ne, std::is_floating_point_v<A> ? (a < b || a > b) : (a != b))
OP2(Lt, a < b)
OP2(Le, a <= b)
OP2(Gt, a > b)
OP2(Ge, a >= b)
OP2(Equ, !(a < b || a > b))
OP2(Neu, a != b)
OP2(Ltu, !(a >= b))
OP2(Leu, !(a > b))
OP2(Gtu, !(a <= b))
OP2(Geu, !(a < b))

inline uint32_t bits_of(float v) {
  uint32_t b;
  std::memcpy(&b, &v, 4);
  return b;
}
inline float float_of(uint32_t b) {
  float v;
  std::memcpy(&v, &b, 4);
  return v;
}
struct Tf32Rna {
  uint32_t operator()(uint32_t b) const {
    if ((b & 0x7fffffffu) > 0x7f800000u) return 0x7fffffffu;
    if ((b & 0x7f800000u) == 0x7f800000u) return b;
    return (b + 0x1000u) & 0xffffe000u;
  }
};
inline uint32_t bf16(float v) {
  const uint32_t b = bits_of(v);
  if (v != v) return 0x7fffu;
  const uint32_t lower = b & 0xffffu, upper = b >> 16;
  return upper + (lower > 0x8000u || (lower == 0x8000u && (upper & 1u)));
}
struct Bf16x2 {
  uint32_t operator()(float a, float b) const { return bf16(a) << 16 | bf16(b); }
};
template <class D, bool kToNearest>
struct ToInteger {
  template <class A>
  D operator()(A a) const {
    if (a != a) return 0;
    const A r = kToNearest ? std::nearbyint(a) : std::trunc(a);
    if (r < -std::ldexp(A(1), static_cast<int>(sizeof(D) * 8) - 1)) return std::numeric_limits<D>::min();
    if (r >= std::ldexp(A(1), static_cast<int>(sizeof(D) * 8) - (std::is_signed_v<D> ? 1 : 0))) return std::numeric_limits<D>::max();
    return static_cast<D>(r);
  }
};
template <class D>
struct Cast {
  template <class A>
  D operator()(A a) const {
    return static_cast<D>(a);
  }
};
inline void bfi64(Warp& w, const Inst& i, uint32_t mask) {  // d = c with `length` bits at `at` from a
  lanes(mask, [&](int l) {
    const uint64_t a = reg<uint64_t>(w, i.o[1])[l], b = reg<uint64_t>(w, i.o[2])[l];
    const uint32_t at = reg<uint32_t>(w, i.o[3])[l] & 0xff, length = reg<uint32_t>(w, i.o[4])[l] & 0xff;
    uint64_t d = b;
    for (uint32_t k = 0; k < length && at + k < 64; ++k) d = (d & ~(uint64_t{1} << (at + k))) | ((a >> k & 1) << (at + k));
    reg<uint64_t>(w, i.o[0])[l] = d;
  });
}

inline void unpack32(Warp& w, const Inst& i, uint32_t mask) {  // {o0, o1} = b64 o2
  lanes(mask, [&](int l) {
    const uint64_t v = reg<uint64_t>(w, i.o[2])[l];
    reg<uint32_t>(w, i.o[0])[l] = static_cast<uint32_t>(v);
    reg<uint32_t>(w, i.o[1])[l] = static_cast<uint32_t>(v >> 32);
  });
}
inline void pack32(Warp& w, const Inst& i, uint32_t mask) {  // b64 o0 = {o1, o2}
  lanes(mask, [&](int l) { reg<uint64_t>(w, i.o[0])[l] = reg<uint32_t>(w, i.o[1])[l] | static_cast<uint64_t>(reg<uint32_t>(w, i.o[2])[l]) << 32; });
}
inline void logic_not(Warp& w, const Inst& i, uint32_t mask) {
  uint32_t& d = pred(w, i.o[0]);
  d = (d & ~mask) | (~pred(w, i.o[1]) & mask);
}
inline void logic_mov(Warp& w, const Inst& i, uint32_t mask) {
  uint32_t& d = pred(w, i.o[0]);
  d = (d & ~mask) | (pred(w, i.o[1]) & mask);
}

#undef OP1
#undef OP2

}  // namespace ptx
