// Native registers over xsimd::batch. An ISA file defines Arch first; what xsimd lacks or gets wrong on some
// architecture (fma, division, square root, bit casts, 16-bit loads and stores, transposes) comes from
// simd/family_*.hpp.
#pragma once
#include <cstddef>
#include <cstdint>

#define HS_INLINED __attribute__((always_inline))  // of a lambda: GCC calls large ones, with all constants anew
#define HS_INLINE inline HS_INLINED
#define HS_UNROLL _Pragma("GCC unroll 16")

namespace halfstep::internal::HS_NAMESPACE {

using Reg = xsimd::batch<float, Arch>;
using UInt = xsimd::batch<std::uint32_t, Arch>;
inline constexpr std::size_t kRegLanes = Reg::size;

HS_INLINE Reg reg_load(const float* p) { return Reg::load_unaligned(p); }
HS_INLINE void reg_store(float* p, Reg x) { x.store_unaligned(p); }
HS_INLINE UInt uint_load(const std::uint32_t* p) { return UInt::load_unaligned(p); }
HS_INLINE void uint_store(std::uint32_t* p, UInt x) { x.store_unaligned(p); }
HS_INLINE Reg reg_set(float x) { return Reg(x); }
HS_INLINE UInt uint_set(std::uint32_t x) { return UInt(x); }
template <int N>
HS_INLINE UInt shift_left(UInt x) {
  return x << N;
}
template <int N>
HS_INLINE UInt shift_right(UInt x) {
  return x >> N;
}
// yes where a > b (false for NaN), no elsewhere.
HS_INLINE Reg select_greater(Reg a, Reg b, Reg yes, Reg no) { return xsimd::select(a > b, yes, no); }
// Of integers below 2^31: x86 compares signed ones only, and xsimd 8.1 splits registers to compare unsigned ones.
HS_INLINE UInt select_greater(UInt a, UInt b, UInt yes, UInt no) {
  using Int = xsimd::batch<std::int32_t, Arch>;
  auto as_int = [](UInt x) { return cast_bits<Int>(x); };
  return cast_bits<UInt>(xsimd::select(as_int(a) > as_int(b), as_int(yes), as_int(no)));
}
HS_INLINE UInt larger(UInt a, UInt b) { return xsimd::max(a, b); }

}  // namespace halfstep::internal::HS_NAMESPACE
