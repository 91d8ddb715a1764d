// Other ways for a route to add a product to a sum (Fused: body/tile.hpp), where fma is not an instruction.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// The bits of fma where left and right are bf16. Product and sum have 16 and 24 bits at most, so that
// fp64 rounds their sum only where one of them is tiny beside the other. That is nowhere near halfway between two fp32
// numbers, and to round once more is right.
struct FusedBf16 {
  static HS_INLINE Wide accumulate(const Wide& left, const Wide& right, const Wide& sum) {
    return map([&](std::size_t i) __attribute__((always_inline)) {
      return narrow(add(multiply(widen(left.r[i]), widen(right.r[i])), widen(sum.r[i])));
    });
  }
};

// fma in place, where the bodies' own is called (HS_FMA).
struct FusedInPlace {
  static HS_INLINE Wide accumulate(const Wide& left, const Wide& right, const Wide& sum) {
    return map([&](std::size_t i) __attribute__((always_inline)) { return fma(left.r[i], right.r[i], sum.r[i]); });
  }
};

// A rounding for the product and one for the sum. The product of two fp16 numbers is exact in fp32 and always in its
// range, so that these are the bits of fma; those of bf16 may leave the range, those of fp32 are rounded: native bits.
struct Unfused {
  static HS_INLINE Wide accumulate(const Wide& left, const Wide& right, const Wide& sum) { return left * right + sum; }
};
template <>
inline constexpr bool kNative<WidenRoute<Dtype::fp32, Unfused>> = true;
template <>
inline constexpr bool kNative<WidenRoute<Dtype::bf16, Unfused>> = true;

}  // namespace halfstep::internal::HS_NAMESPACE
