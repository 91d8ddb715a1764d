// One lane in plain C++: the reference ISA that runs everywhere.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/float16.hpp"

#if defined(__FAST_MATH__)
#error "fast-math erases the inf check: halfstep refuses it"
#endif
#define HS_INLINED __attribute__((always_inline))  // of a lambda: GCC calls large ones, with all constants anew
#define HS_INLINE inline HS_INLINED
#define HS_UNROLL  // nothing to unroll: the lanes themselves are loops

namespace halfstep::internal::HS_NAMESPACE {

using Reg = float;
using UInt = std::uint32_t;
inline constexpr std::size_t kRegLanes = 1;
// Registers hold none of a tile: its accumulators are in L1.
inline constexpr TileShapes kIsaShapes = {.panels = 1, .most_rows = {2}};
inline constexpr std::size_t kIsaSteps = 1;

HS_INLINE Reg reg_load(const float* p) { return *p; }
HS_INLINE void reg_store(float* p, Reg x) { *p = x; }
HS_INLINE UInt uint_load(const std::uint32_t* p) { return *p; }
HS_INLINE void uint_store(std::uint32_t* p, UInt x) { *p = x; }
HS_INLINE Reg reg_set(float x) { return x; }
HS_INLINE UInt uint_set(std::uint32_t x) { return x; }
HS_INLINE Reg reg_divide(Reg a, Reg b) { return a / b; }
HS_INLINE Reg reg_sqrt(Reg x) { return __builtin_sqrtf(x); }
template <int N>
HS_INLINE UInt shift_left(UInt x) {
  return x << N;
}
template <int N>
HS_INLINE UInt shift_right(UInt x) {
  return x >> N;
}
HS_INLINE Reg select_greater(Reg a, Reg b, Reg yes, Reg no) { return a > b ? yes : no; }
HS_INLINE UInt select_greater(UInt a, UInt b, UInt yes, UInt no) { return a > b ? yes : no; }
HS_INLINE bool any_nan(Reg x) { return !(x == x); }
HS_INLINE UInt larger(UInt a, UInt b) { return a > b ? a : b; }
HS_INLINE UInt bits(Reg x) { return __builtin_bit_cast(std::uint32_t, x); }
HS_INLINE Reg from_bits(UInt x) { return __builtin_bit_cast(float, x); }

// Correctly rounded without an fma instruction: the product is exact in double, the sum is rounded to odd there, and
// double has more than twice the bits of float, so the last rounding is right (Boldo and Melquiond, 2008).
inline Reg fma(Reg a, Reg b, Reg c) {
#if defined(__FMA__) || defined(__aarch64__)
  return __builtin_fmaf(a, b, c);
#else
  const double product = static_cast<double>(a) * static_cast<double>(b);
  const double addend = c;
  double sum = product + addend;
  const double part = sum - product;
  const double error = (product - (sum - part)) + (addend - part);
  auto word = __builtin_bit_cast(std::uint64_t, sum);
  if ((error > 0 || error < 0) && (word & 1) == 0) {
    word = (error > 0) == (sum > 0) ? word + 1 : word - 1;
    sum = __builtin_bit_cast(double, word);
  }
  return static_cast<float>(sum);
#endif
}

HS_INLINE Reg reg_fms(Reg a, Reg b, Reg c) { return fma(a, b, -c); }
HS_INLINE Reg reg_fnma(Reg a, Reg b, Reg c) { return fma(-a, b, c); }
HS_INLINE Reg reg_greater(Reg a, Reg b) { return a > b ? a : b; }
HS_INLINE Reg reg_less(Reg a, Reg b) { return a < b ? a : b; }

HS_INLINE float fold(Reg x) { return x; }

// Low half of the 64-bit products; the high half goes to `high`.
HS_INLINE UInt multiply(UInt a, UInt b, UInt& high) {
  const std::uint64_t product = static_cast<std::uint64_t>(a) * b;
  high = static_cast<UInt>(product >> 32);
  return static_cast<UInt>(product);
}

// The lanes of a Reg in fp64. Products of fp32 are exact there, so that a sum of squares rounds once an addition.
using Doubles = double;
HS_INLINE Doubles widen(Reg x) { return x; }
HS_INLINE Reg narrow(Doubles x) { return static_cast<float>(x); }
HS_INLINE Doubles add(Doubles a, Doubles b) { return a + b; }
HS_INLINE Doubles multiply(Doubles a, Doubles b) { return a * b; }
HS_INLINE Doubles doubles_zero() { return 0; }
HS_INLINE Doubles add_squares(Doubles sum, Reg x) { return sum + widen(x) * widen(x); }
HS_INLINE Doubles add_squares(Doubles sum, const float* p) { return add_squares(sum, *p); }
HS_INLINE void doubles_store(double* p, Doubles x) { *p = x; }

// Halves of bf16 pairs as fp32.
HS_INLINE Reg load_odd(const std::uint16_t* pairs) {
  return from_bits(uint_load(reinterpret_cast<const std::uint32_t*>(pairs)) & uint_set(0xffff0000u));
}
HS_INLINE Reg load_even(const std::uint16_t* pairs) {
  return from_bits(shift_left<16>(uint_load(reinterpret_cast<const std::uint32_t*>(pairs))));
}
// The bf16 value at p[at] as fp32, those of each pair exchanged. Other families load a register's worth.
HS_INLINE Reg load_exchanged(const std::uint16_t* p, std::size_t at) {
  return from_bits(std::uint32_t{p[at ^ 1]} << 16);
}

inline Reg load_fp16(const std::uint16_t* p) { return to_fp32(Fp16{*p}); }
inline void store_fp16(std::uint16_t* p, Reg x) { *p = to_fp16(x).bits; }
HS_INLINE Reg load_bf16(const std::uint16_t* p) { return from_bits(UInt{*p} << 16); }
HS_INLINE void store_words(std::uint16_t* p, UInt x) { *p = static_cast<std::uint16_t>(x); }
// Subnormals of fp32 to a zero of their sign.
HS_INLINE UInt flush_subnormals(UInt u) { return (u & 0x7f800000u) == 0 ? u & 0x80000000u : u; }
// u + 0x7fff, and one more where bit 16 is set: the high halves are then those of u to nearest even.
HS_INLINE UInt add_half_even(UInt u) { return u + uint_set(0x7fffu) + (shift_right<16>(u) & uint_set(1u)); }
// The high halves of a and b to nearest even as pairs, a's below; and pairs to two places.
HS_INLINE UInt join_rounded(UInt a, UInt b) {
  return shift_right<16>(add_half_even(a)) | (add_half_even(b) & uint_set(0xffff0000u));
}
HS_INLINE void store_halves(std::uint16_t* low, std::uint16_t* high, UInt pairs) {
  store_words(low, pairs & uint_set(0xffffu));
  store_words(high, shift_right<16>(pairs));
}
HS_INLINE void transpose(Reg*) {}

}  // namespace halfstep::internal::HS_NAMESPACE
