// The function for an operation on a type.
#pragma once
#include "arithmetic.h"
#include "memory.h"
#include "text.h"

namespace ptx {

template <class F>
Handler integers(const std::string& t);

template <class F>
Handler arithmetic(const std::string& t) {
  if (t == "f32") return binary<float, float, float, F>;
  if (t == "f64") return binary<double, double, double, F>;
  return integers<F>(t);
}
template <class F>
Handler integers(const std::string& t) {
  if (t == "s16") return binary<int16_t, int16_t, int16_t, F>;
  if (t == "u16") return binary<uint16_t, uint16_t, uint16_t, F>;
  if (t == "s32") return binary<int32_t, int32_t, int32_t, F>;
  if (t == "u32") return binary<uint32_t, uint32_t, uint32_t, F>;
  if (t == "s64") return binary<int64_t, int64_t, int64_t, F>;
  if (t == "u64") return binary<uint64_t, uint64_t, uint64_t, F>;
  refuse("type " + t);
}
template <class F>
Handler bitwise(const std::string& t) {
  if (t == "pred") return logic<F>;
  if (t == "b16") return binary<uint16_t, uint16_t, uint16_t, F>;
  if (t == "b32") return binary<uint32_t, uint32_t, uint32_t, F>;
  if (t == "b64") return binary<uint64_t, uint64_t, uint64_t, F>;
  refuse("type " + t);
}
template <class F>
Handler comparison(const std::string& t) {
  if (t == "s16") return compare<int16_t, F>;
  if (t == "u16" || t == "b16") return compare<uint16_t, F>;
  if (t == "s32") return compare<int32_t, F>;
  if (t == "u32" || t == "b32") return compare<uint32_t, F>;
  if (t == "s64") return compare<int64_t, F>;
  if (t == "u64" || t == "b64") return compare<uint64_t, F>;
  if (t == "f32") return compare<float, F>;
  if (t == "f64") return compare<double, F>;
  refuse("type " + t);
}

template <Space kSpace, bool kStore, class Address, class T>
Handler memory_reg(int reg_bytes) {
  auto pick = [&]<class R>() -> Handler {
    if constexpr (kStore) return store<kSpace, Address, T, R>;
    else return load<kSpace, Address, T, R>;
  };
  if (std::is_signed_v<T>) {
    if (reg_bytes == 2) return pick.template operator()<int16_t>();
    if (reg_bytes == 4) return pick.template operator()<int32_t>();
    if (reg_bytes == 8) return pick.template operator()<int64_t>();
  } else {
    if (reg_bytes == 2) return pick.template operator()<uint16_t>();
    if (reg_bytes == 4) return pick.template operator()<uint32_t>();
    if (reg_bytes == 8) return pick.template operator()<uint64_t>();
  }
  refuse("memory register");
}
template <Space kSpace, bool kStore, class Address>
Handler memory_type(const std::string& t, int reg_bytes) {
  if (t == "u8" || t == "b8") return memory_reg<kSpace, kStore, Address, uint8_t>(reg_bytes);
  if (t == "s8") return memory_reg<kSpace, kStore, Address, int8_t>(reg_bytes);
  if (t == "u16" || t == "b16") return memory_reg<kSpace, kStore, Address, uint16_t>(reg_bytes);
  if (t == "s16") return memory_reg<kSpace, kStore, Address, int16_t>(reg_bytes);
  if (t == "u32" || t == "b32" || t == "f32") return memory_reg<kSpace, kStore, Address, uint32_t>(reg_bytes);
  if (t == "s32") return memory_reg<kSpace, kStore, Address, int32_t>(reg_bytes);
  if (t == "u64" || t == "b64" || t == "f64") return memory_reg<kSpace, kStore, Address, uint64_t>(reg_bytes);
  if (t == "s64") return memory_reg<kSpace, kStore, Address, int64_t>(reg_bytes);
  refuse("memory type " + t);
}
template <bool kStore>
Handler memory(const std::string& space, const std::string& t, int reg_bytes, int address_bytes) {
  if (space == "global" && address_bytes == 8) return memory_type<kGlobal, kStore, uint64_t>(t, reg_bytes);
  if (space == "shared")
    return address_bytes == 8 ? memory_type<kShared, kStore, uint64_t>(t, reg_bytes) : memory_type<kShared, kStore, uint32_t>(t, reg_bytes);
  if (space == "local")
    return address_bytes == 8 ? memory_type<kLocal, kStore, uint64_t>(t, reg_bytes) : memory_type<kLocal, kStore, uint32_t>(t, reg_bytes);
  if constexpr (!kStore)
    if (space == "param") return memory_type<kParam, kStore, uint64_t>(t, reg_bytes);
  refuse("space " + space);
}

inline Handler conversion(const std::string& rounding, const std::string& to, const std::string& from) {
#define CASE(r, t, f, handler) \
  if (rounding == r && to == t && from == f) return handler
  CASE("", "f64", "f32", (unary<double, float, Cast<double>>));
  CASE("rn", "f32", "f64", (unary<float, double, Cast<float>>));
  CASE("rn", "f32", "s32", (unary<float, int32_t, Cast<float>>));
  CASE("rn", "f32", "u32", (unary<float, uint32_t, Cast<float>>));
  CASE("rn", "f32", "u16", (unary<float, uint16_t, Cast<float>>));
  CASE("rn", "f64", "s32", (unary<double, int32_t, Cast<double>>));
  CASE("rn", "f64", "u32", (unary<double, uint32_t, Cast<double>>));
  CASE("rn", "f64", "s64", (unary<double, int64_t, Cast<double>>));
  CASE("rni", "s32", "f32", (unary<int32_t, float, ToInteger<int32_t, true>>));
  CASE("rzi", "s32", "f32", (unary<int32_t, float, ToInteger<int32_t, false>>));
  CASE("rzi", "s64", "f64", (unary<int64_t, double, ToInteger<int64_t, false>>));
  CASE("rzi", "s64", "f32", (unary<int64_t, float, ToInteger<int64_t, false>>));
  CASE("sat", "f32", "f32", (unary<float, float, Saturate>));
  CASE("rna", "tf32", "f32", (unary<uint32_t, uint32_t, Tf32Rna>));
  CASE("", "s64", "s32", (unary<int64_t, int32_t, Cast<int64_t>>));
  CASE("", "u64", "u32", (unary<uint64_t, uint32_t, Cast<uint64_t>>));
  CASE("", "u32", "u64", (unary<uint32_t, uint64_t, Cast<uint32_t>>));
  CASE("", "u32", "u16", (unary<uint32_t, uint16_t, Cast<uint32_t>>));
  CASE("", "s32", "s16", (unary<int32_t, int16_t, Cast<int32_t>>));
  CASE("", "u16", "u32", (unary<uint16_t, uint32_t, Cast<uint16_t>>));
#undef CASE
  refuse("conversion " + rounding + ' ' + to + ' ' + from);
}

}  // namespace ptx
