// Baseline x86-64: no fma, no conversions of halves, no blends.
#pragma once
#include <emmintrin.h>

#define HS_FMA [[gnu::noinline]] inline

namespace halfstep::internal::HS_NAMESPACE {

// Of 16 registers 8 hold accumulators, 4 a panel, one a broadcast.
inline constexpr TileShapes kIsaShapes = {.panels = 1, .most_rows = {2}};
inline constexpr std::size_t kIsaSteps = 1;

HS_INLINE UInt bits(Reg x) { return UInt(_mm_castps_si128(x)); }
HS_INLINE Reg from_bits(UInt x) { return Reg(_mm_castsi128_ps(x)); }
HS_INLINE Reg reg_divide(Reg a, Reg b) { return Reg(_mm_div_ps(a, b)); }
HS_INLINE Reg reg_sqrt(Reg x) { return Reg(_mm_sqrt_ps(x)); }
HS_INLINE Reg reg_greater(Reg a, Reg b) { return Reg(_mm_max_ps(a, b)); }
HS_INLINE Reg reg_less(Reg a, Reg b) { return Reg(_mm_min_ps(a, b)); }

HS_INLINE __m128i choose(__m128i mask, __m128i yes, __m128i no) {
  return _mm_or_si128(_mm_and_si128(mask, yes), _mm_andnot_si128(mask, no));
}

// The lanes of a Reg in fp64.
struct Doubles {
  __m128d low, high;
};
HS_INLINE Doubles widen(Reg x) {
  const __m128 v = x;
  return {_mm_cvtps_pd(v), _mm_cvtps_pd(_mm_movehl_ps(v, v))};
}
HS_INLINE Reg narrow(Doubles x) { return Reg(_mm_movelh_ps(_mm_cvtpd_ps(x.low), _mm_cvtpd_ps(x.high))); }
HS_INLINE Doubles add(Doubles a, Doubles b) { return {_mm_add_pd(a.low, b.low), _mm_add_pd(a.high, b.high)}; }
HS_INLINE Doubles multiply(Doubles a, Doubles b) { return {_mm_mul_pd(a.low, b.low), _mm_mul_pd(a.high, b.high)}; }

// fma without the instruction: the product is exact in fp64, and rounding the sum there before rounding it to fp32 goes
// wrong only where it lands halfway between two fp32 numbers without being there. Such a sum is moved by one of its
// last places to the side of what was lost (its error after Knuth, TAOCP 2, 4.2.2).
HS_INLINE __m128d off_halfway(__m128d product, __m128d addend) {
  const __m128d sum = _mm_add_pd(product, addend), part = _mm_sub_pd(sum, product);
  const __m128d error = _mm_add_pd(_mm_sub_pd(product, _mm_sub_pd(sum, part)), _mm_sub_pd(addend, part));
  const __m128i word = _mm_castpd_si128(sum), dropped = _mm_and_si128(word, _mm_set1_epi64x(0x1fffffff));
  const __m128i halfway = _mm_cmpeq_epi32(dropped, _mm_set1_epi64x(0x10000000));
  const __m128i inexact = _mm_castpd_si128(_mm_cmpneq_pd(error, _mm_setzero_pd()));
  const __m128i opposite = _mm_srai_epi32(_mm_castpd_si128(_mm_xor_pd(error, sum)), 31);
  const __m128i step = _mm_or_si128(_mm_srli_epi64(opposite, 32), _mm_set1_epi64x(1));  // 1 or -1 in the low word
  return _mm_castsi128_pd(_mm_add_epi32(word, _mm_and_si128(step, _mm_and_si128(halfway, inexact))));
}
// Out of line: rare, and long.
[[gnu::noinline, gnu::cold]] inline __m128 fma_near_halfway(__m128 a, __m128 b, __m128 c) {
  const Doubles product = multiply(widen(Reg(a)), widen(Reg(b))), addend = widen(Reg(c));
  return narrow({off_halfway(product.low, addend.low), off_halfway(product.high, addend.high)});
}
HS_INLINE Reg fma(Reg a, Reg b, Reg c) {
  const Doubles sum = add(multiply(widen(a), widen(b)), widen(c));
  const __m128 low_words = _mm_shuffle_ps(_mm_castpd_ps(sum.low), _mm_castpd_ps(sum.high), 0x88);
  const __m128i dropped = _mm_slli_epi32(_mm_castps_si128(low_words), 3);  // the 29 bits that fp32 has no room for
  const __m128i halfway = _mm_cmpeq_epi32(dropped, _mm_set1_epi32(static_cast<int>(0x80000000u)));
  if (__builtin_expect(_mm_movemask_epi8(halfway), 0)) return Reg(fma_near_halfway(a, b, c));
  return narrow(sum);
}
HS_INLINE Reg negative(Reg x) { return Reg(_mm_xor_ps(x, _mm_set1_ps(-0.0f))); }
HS_INLINE Reg reg_fms(Reg a, Reg b, Reg c) { return fma(a, b, negative(c)); }
HS_INLINE Reg reg_fnma(Reg a, Reg b, Reg c) { return fma(negative(a), b, c); }

// Sum of the lanes: lane i with i+2, then +1.
HS_INLINE float fold(Reg r) {
  const __m128 x = r, two = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

// Low half of the 64-bit products; the high half goes to `high`.
HS_INLINE UInt multiply(UInt a, UInt b, UInt& high) {
  const __m128 even = _mm_castsi128_ps(_mm_mul_epu32(a, b)),
               odd = _mm_castsi128_ps(_mm_mul_epu32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32)));
  auto in_order = [](__m128 x) __attribute__((always_inline)) {
    return UInt(_mm_shuffle_epi32(_mm_castps_si128(x), 0xd8));
  };
  high = in_order(_mm_shuffle_ps(even, odd, 0xdd));
  return in_order(_mm_shuffle_ps(even, odd, 0x88));
}

HS_INLINE Doubles doubles_zero() { return {_mm_setzero_pd(), _mm_setzero_pd()}; }
HS_INLINE Doubles add_squares(Doubles sum, Reg x) { return add(sum, multiply(widen(x), widen(x))); }
HS_INLINE Doubles add_squares(Doubles sum, const float* p) { return add_squares(sum, reg_load(p)); }
HS_INLINE void doubles_store(double* p, Doubles x) {
  _mm_storeu_pd(p, x.low);
  _mm_storeu_pd(p + 2, x.high);
}

// Halves of 4 bf16 pairs as fp32, from two loads that GCC must not merge (storage.hpp).
HS_INLINE Reg load_odd(const std::uint16_t* pairs) {
  const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(pairs));
  return from_bits(UInt(_mm_and_si128(x, _mm_set1_epi32(static_cast<int>(0xffff0000u)))));
}
HS_INLINE Reg load_even(const std::uint16_t* pairs) {
  __m128i x;
  __asm__("movdqu %1, %0" : "=x"(x) : "m"(*reinterpret_cast<const __m128i_u*>(pairs)));
  return from_bits(UInt(_mm_slli_epi32(x, 16)));
}
HS_INLINE Reg load_exchanged(const std::uint16_t* p, std::size_t at) {
  const __m128i words = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + at));
  return from_bits(UInt(_mm_shuffle_epi32(_mm_unpacklo_epi16(_mm_setzero_si128(), words), 0xb1)));
}

HS_INLINE UInt load_words(const std::uint16_t* p) {
  return UInt(_mm_unpacklo_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)), _mm_setzero_si128()));
}
HS_INLINE Reg load_bf16(const std::uint16_t* p) {
  const __m128i words = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
  return from_bits(UInt(_mm_unpacklo_epi16(_mm_setzero_si128(), words)));
}
// The only packing of 32 bits saturates to signed 16: what it gets fits.
HS_INLINE void store_words(std::uint16_t* p, UInt x) {
  const __m128i v = _mm_srai_epi32(_mm_slli_epi32(x, 16), 16);
  _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi32(v, v));
}

// fp16 by integers and exact fp32 arithmetic alone (base/float16.hpp): right in every floating-point environment.
// Subnormal halves are whole multiples of 2^-24.
HS_INLINE Reg load_fp16(const std::uint16_t* p) {
  const __m128i half = load_words(p), magnitude = _mm_and_si128(half, _mm_set1_epi32(0x7fff));
  const __m128i bias = _mm_set1_epi32(112 << 23);
  const __m128i special = _mm_and_si128(_mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7bff)), bias);
  const __m128i quiet = _mm_and_si128(_mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7c00)), _mm_set1_epi32(0x400000));
  const __m128i moved = _mm_add_epi32(_mm_slli_epi32(magnitude, 13), _mm_add_epi32(bias, special));
  const __m128i small = _mm_castps_si128(_mm_mul_ps(_mm_cvtepi32_ps(magnitude), _mm_set1_ps(0x1p-24f)));
  const __m128i is_small = _mm_cmpgt_epi32(_mm_set1_epi32(0x400), magnitude);
  const __m128i sign = _mm_slli_epi32(_mm_xor_si128(half, magnitude), 16);
  return from_bits(UInt(_mm_or_si128(choose(is_small, small, _mm_or_si128(moved, quiet)), sign)));
}

// Below 2^-14 the value in units of 2^-44, with what is lost noted in the last bit, has twenty bits to round away.
HS_INLINE __m128i small_to_fp16(__m128i magnitude) {
  const __m128 scaled = _mm_mul_ps(_mm_castsi128_ps(magnitude), _mm_set1_ps(0x1p44f));
  const __m128i units = _mm_cvttps_epi32(scaled);
  const __m128i lost = _mm_castps_si128(_mm_cmpneq_ps(_mm_cvtepi32_ps(units), scaled));
  const __m128i sticky = _mm_or_si128(units, _mm_and_si128(lost, _mm_set1_epi32(1)));
  const __m128i odd = _mm_and_si128(_mm_srli_epi32(units, 20), _mm_set1_epi32(1));
  return _mm_srli_epi32(_mm_add_epi32(_mm_add_epi32(sticky, _mm_set1_epi32(0x7ffff)), odd), 20);
}
HS_INLINE void store_fp16(std::uint16_t* p, Reg x) {
  const __m128i word = bits(x), magnitude = _mm_and_si128(word, _mm_set1_epi32(0x7fffffff));
  const __m128i top = _mm_srli_epi32(magnitude, 13), odd = _mm_and_si128(top, _mm_set1_epi32(1));
  const __m128i rounded = _mm_add_epi32(_mm_add_epi32(magnitude, _mm_set1_epi32(0xfff - (112 << 23))), odd);
  const __m128i is_small = _mm_cmpgt_epi32(_mm_set1_epi32(0x38800000), magnitude);  // 2^-14
  const __m128i is_large = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x477fefff));  // 65520 and above
  const __m128i is_nan = _mm_cmpgt_epi32(magnitude, _mm_set1_epi32(0x7f800000));
  const __m128i payload = _mm_or_si128(_mm_and_si128(top, _mm_set1_epi32(0x3ff)), _mm_set1_epi32(0x200));
  const __m128i beyond = _mm_or_si128(_mm_and_si128(is_nan, payload), _mm_set1_epi32(0x7c00));
  const __m128i finite =
      choose(is_small, small_to_fp16(_mm_and_si128(is_small, magnitude)), _mm_srli_epi32(rounded, 13));
  const __m128i sign = _mm_slli_epi32(_mm_srli_epi32(word, 31), 15);
  store_words(p, UInt(_mm_or_si128(choose(is_large, beyond, finite), sign)));
}

HS_INLINE bool any_nan(Reg x) { return _mm_movemask_ps(_mm_cmpunord_ps(x, x)) != 0; }
// Subnormals of fp32 to a zero of their sign.
HS_INLINE UInt flush_subnormals(UInt u) {
  const __m128i exponent = _mm_and_si128(u, _mm_set1_epi32(0x7f800000));
  const __m128i small = _mm_cmpeq_epi32(exponent, _mm_setzero_si128());
  return UInt(_mm_andnot_si128(_mm_srli_epi32(small, 1), u));
}
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

// 4 x 4 transpose in place.
HS_INLINE void transpose(Reg* r) {
  const __m128 low01 = _mm_unpacklo_ps(r[0], r[1]), high01 = _mm_unpackhi_ps(r[0], r[1]);
  const __m128 low23 = _mm_unpacklo_ps(r[2], r[3]), high23 = _mm_unpackhi_ps(r[2], r[3]);
  r[0] = Reg(_mm_movelh_ps(low01, low23));
  r[1] = Reg(_mm_movehl_ps(low23, low01));
  r[2] = Reg(_mm_movelh_ps(high01, high23));
  r[3] = Reg(_mm_movehl_ps(high23, high01));
}

}  // namespace halfstep::internal::HS_NAMESPACE
