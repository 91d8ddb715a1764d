// Baseline AArch64: fp32 fma and fp16 conversions belong to ARMv8.0.
#pragma once
#include <arm_neon.h>

namespace halfstep::internal::HS_NAMESPACE {

// Of 32 registers 24 hold accumulators (tile_neon.hpp).
inline constexpr TileShapes kIsaShapes = {.panels = 1, .most_rows = {6}};
inline constexpr std::size_t kIsaSteps = 1;

HS_INLINE UInt bits(Reg x) { return UInt(vreinterpretq_u32_f32(x)); }
HS_INLINE Reg from_bits(UInt x) { return Reg(vreinterpretq_f32_u32(x)); }
// xsimd 8.1 divides floats by a reciprocal estimate and two Newton steps, which is not correctly rounded.
HS_INLINE Reg reg_divide(Reg a, Reg b) { return Reg(vdivq_f32(a, b)); }
HS_INLINE Reg reg_sqrt(Reg x) { return Reg(vsqrtq_f32(x)); }
HS_INLINE Reg fma(Reg a, Reg b, Reg c) { return Reg(vfmaq_f32(c, a, b)); }
HS_INLINE Reg reg_fms(Reg a, Reg b, Reg c) { return Reg(vfmaq_f32(vnegq_f32(c), a, b)); }
HS_INLINE Reg reg_fnma(Reg a, Reg b, Reg c) { return Reg(vfmsq_f32(c, a, b)); }
// vmaxq and vminq make NaN of one NaN, and order zeros.
HS_INLINE Reg reg_greater(Reg a, Reg b) { return Reg(vbslq_f32(vcgtq_f32(a, b), a, b)); }
HS_INLINE Reg reg_less(Reg a, Reg b) { return Reg(vbslq_f32(vcltq_f32(a, b), a, b)); }

// Sum of the lanes: lane i with i+2, then +1.
HS_INLINE float fold(Reg x) {
  const float32x2_t two = vadd_f32(vget_low_f32(x), vget_high_f32(x));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

// Low half of the 64-bit products; the high half goes to `high`.
HS_INLINE UInt multiply(UInt a, UInt b, UInt& high) {
  const uint32x4_t front = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
  const uint32x4_t back = vreinterpretq_u32_u64(vmull_high_u32(a, b));
  high = UInt(vuzp2q_u32(front, back));
  return UInt(vuzp1q_u32(front, back));
}

// The lanes of a Reg in fp64.
struct Doubles {
  float64x2_t low, high;
};
HS_INLINE Doubles doubles_zero() { return {vdupq_n_f64(0), vdupq_n_f64(0)}; }
HS_INLINE Doubles add_squares(Doubles sum, Reg x) {
  const float64x2_t low = vcvt_f64_f32(vget_low_f32(x)), high = vcvt_high_f64_f32(x);
  return {vfmaq_f64(sum.low, low, low), vfmaq_f64(sum.high, high, high)};
}
HS_INLINE Doubles add_squares(Doubles sum, const float* p) { return add_squares(sum, reg_load(p)); }
HS_INLINE Doubles add(Doubles a, Doubles b) { return {vaddq_f64(a.low, b.low), vaddq_f64(a.high, b.high)}; }
HS_INLINE void doubles_store(double* p, Doubles x) {
  vst1q_f64(p, x.low);
  vst1q_f64(p + 2, x.high);
}

// Halves of bf16 pairs as fp32.
HS_INLINE Reg load_odd(const std::uint16_t* pairs) {
  return from_bits(uint_load(reinterpret_cast<const std::uint32_t*>(pairs)) & uint_set(0xffff0000u));
}
HS_INLINE Reg load_even(const std::uint16_t* pairs) {
  return from_bits(shift_left<16>(uint_load(reinterpret_cast<const std::uint32_t*>(pairs))));
}
HS_INLINE Reg load_exchanged(const std::uint16_t* p, std::size_t at) {
  return from_bits(UInt(vshlq_n_u32(vmovl_u16(vrev32_u16(vld1_u16(p + at))), 16)));
}

HS_INLINE Reg load_fp16(const std::uint16_t* p) { return Reg(vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p)))); }
HS_INLINE void store_fp16(std::uint16_t* p, Reg x) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(x))); }
HS_INLINE Reg load_bf16(const std::uint16_t* p) { return from_bits(UInt(vshll_n_u16(vld1_u16(p), 16))); }
HS_INLINE void store_words(std::uint16_t* p, UInt x) { vst1_u16(p, vmovn_u32(x)); }

HS_INLINE bool any_nan(Reg x) { return xsimd::any(!(x == x)); }
// Subnormals of fp32 to a zero of their sign.
HS_INLINE UInt flush_subnormals(UInt u) {
  const uint32x4_t ordinary = vtstq_u32(u, vdupq_n_u32(0x7f800000u));
  return UInt(vandq_u32(u, vorrq_u32(ordinary, vdupq_n_u32(0x80000000u))));
}
// u + 0x7fff, and one more where bit 16 is set: the high halves are then those of u to nearest even.
HS_INLINE UInt add_half_even(UInt u) { return u + uint_set(0x7fffu) + (shift_right<16>(u) & uint_set(1u)); }
// The high halves of a and b to nearest even as pairs, a's below; and pairs to two places.
HS_INLINE UInt join_rounded(UInt a, UInt b) {
  return shift_right<16>(add_half_even(a)) | (add_half_even(b) & uint_set(0xffff0000u));
}
HS_INLINE void store_halves(std::uint16_t* low, std::uint16_t* high, UInt pairs) {
  vst1_u16(low, vmovn_u32(pairs));
  vst1_u16(high, vshrn_n_u32(pairs, 16));
}

// 4 x 4 transpose in place.
HS_INLINE void transpose(Reg* r) {
  const float32x4x2_t a = vtrnq_f32(r[0], r[1]);
  const float32x4x2_t b = vtrnq_f32(r[2], r[3]);
  r[0] = Reg(vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0])));
  r[1] = Reg(vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1])));
  r[2] = Reg(vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0])));
  r[3] = Reg(vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1])));
}

}  // namespace halfstep::internal::HS_NAMESPACE
