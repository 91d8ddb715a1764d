// AVX-512 F, BW, DQ, VL. xsimd 8.1 has no fused multiply-add here (platform fact), so it is an intrinsic.
#pragma once
#include <immintrin.h>

namespace halfstep::internal::HS_NAMESPACE {

// Of 32 registers up to 24 hold accumulators: 6 rows x 4 panels, 8 x 3, 12 x 2. 16 x 1 are enough chains for two
// instructions a cycle.
inline constexpr TileShapes kIsaShapes = {.panels = 4, .most_rows = {16, 12, 8, 6}};
// Steps of k in a turn of a tile's loop: a step is 48 fma, and two a turn gain nothing.
inline constexpr std::size_t kIsaSteps = 1;

HS_INLINE UInt bits(Reg x) { return UInt(_mm512_castps_si512(x)); }
HS_INLINE Reg from_bits(UInt x) { return Reg(_mm512_castsi512_ps(x)); }
HS_INLINE Reg reg_divide(Reg a, Reg b) { return Reg(_mm512_div_ps(a, b)); }
HS_INLINE Reg reg_sqrt(Reg x) { return Reg(_mm512_sqrt_ps(x)); }
HS_INLINE Reg fma(Reg a, Reg b, Reg c) { return Reg(_mm512_fmadd_ps(a, b, c)); }
HS_INLINE Reg reg_fms(Reg a, Reg b, Reg c) { return Reg(_mm512_fmsub_ps(a, b, c)); }
HS_INLINE Reg reg_fnma(Reg a, Reg b, Reg c) { return Reg(_mm512_fnmadd_ps(a, b, c)); }
HS_INLINE Reg reg_greater(Reg a, Reg b) { return Reg(_mm512_max_ps(a, b)); }
HS_INLINE Reg reg_less(Reg a, Reg b) { return Reg(_mm512_min_ps(a, b)); }

// Sum of the lanes: lane i with i+8, then +4, +2, +1.
HS_INLINE float fold(Reg r) {
  const __m512 w = r;
  const __m256 v = _mm256_add_ps(_mm512_castps512_ps256(w), _mm512_extractf32x8_ps(w, 1));
  const __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// Low half of the 64-bit products; the high half goes to `high`.
HS_INLINE UInt multiply(UInt a, UInt b, UInt& high) {
  const __m512i even = _mm512_mul_epu32(a, b),
                odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
  high = UInt(_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd));
  return UInt(_mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32)));
}

// The lanes of a Reg in fp64.
struct Doubles {
  __m512d low, high;
};
HS_INLINE Doubles doubles_zero() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
HS_INLINE Doubles add_squares(Doubles sum, Reg x) {
  const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(x)), high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
  return {_mm512_fmadd_pd(low, low, sum.low), _mm512_fmadd_pd(high, high, sum.high)};
}
// Converts as it loads.
HS_INLINE Doubles add_squares(Doubles sum, const float* p) {
  const __m512d low = _mm512_cvtps_pd(_mm256_loadu_ps(p)), high = _mm512_cvtps_pd(_mm256_loadu_ps(p + 8));
  return {_mm512_fmadd_pd(low, low, sum.low), _mm512_fmadd_pd(high, high, sum.high)};
}
HS_INLINE Doubles add(Doubles a, Doubles b) { return {_mm512_add_pd(a.low, b.low), _mm512_add_pd(a.high, b.high)}; }
HS_INLINE void doubles_store(double* p, Doubles x) {
  _mm512_storeu_pd(p, x.low);
  _mm512_storeu_pd(p + 8, x.high);
}

// Halves of 16 bf16 pairs as fp32, from two loads that GCC must not merge (storage.hpp).
HS_INLINE Reg load_odd(const std::uint16_t* pairs) {
  return from_bits(UInt(_mm512_and_si512(_mm512_loadu_si512(pairs), _mm512_set1_epi32(static_cast<int>(0xffff0000u)))));
}
HS_INLINE Reg load_even(const std::uint16_t* pairs) {
  __m512i x;
  __asm__("vpslld $16, %1, %0" : "=v"(x) : "m"(*reinterpret_cast<const __m512i_u*>(pairs)));
  return from_bits(UInt(x));
}
// One shuffle: a word goes to the high half of its neighbour's lane.
HS_INLINE Reg load_exchanged(const std::uint16_t* p, std::size_t at) {
  const __m512i words = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + at)));
  const __m512i places = _mm512_set_epi16(14, 0, 15, 0, 12, 0, 13, 0, 10, 0, 11, 0, 8, 0, 9, 0, 6, 0, 7, 0, 4, 0, 5, 0,
                                          2, 0, 3, 0, 0, 0, 1, 0);
  return from_bits(UInt(_mm512_maskz_permutexvar_epi16(0xaaaaaaaau, places, words)));
}

HS_INLINE Reg load_fp16(const std::uint16_t* p) {
  return Reg(_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}
HS_INLINE void store_fp16(std::uint16_t* p, Reg x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
// Each word into the high half of its lane by one permutation.
HS_INLINE Reg load_bf16(const std::uint16_t* p) {
  const __m512i twice = _mm512_set_epi16(15, 15, 14, 14, 13, 13, 12, 12, 11, 11, 10, 10, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5,
                                         4, 4, 3, 3, 2, 2, 1, 1, 0, 0);
  const __m512i words = _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  return from_bits(UInt(_mm512_maskz_permutexvar_epi16(0xaaaaaaaau, twice, words)));
}
HS_INLINE void store_words(std::uint16_t* p, UInt x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(x));
}

HS_INLINE bool any_nan(Reg x) { return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q) != 0; }
// Subnormals of fp32 to a zero of their sign.
HS_INLINE UInt flush_subnormals(UInt u) {
  const __mmask16 small = _mm512_testn_epi32_mask(u, _mm512_set1_epi32(0x7f800000));
  return UInt(_mm512_mask_and_epi32(u, small, u, _mm512_set1_epi32(static_cast<int>(0x80000000u))));
}
// u + 0x7fff, and one more where bit 16 is set: the high halves are then those of u to nearest even.
HS_INLINE UInt add_half_even(UInt u) {
  const __mmask16 odd = _mm512_test_epi32_mask(u, _mm512_set1_epi32(0x10000));
  return UInt(_mm512_mask_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), odd, u, _mm512_set1_epi32(0x8000)));
}
// The high halves of a and b to nearest even as pairs, a's below; and pairs to two places.
HS_INLINE UInt join_rounded(UInt a, UInt b) {
  constexpr int kFirstOrBoth = 0xf8;
  return UInt(_mm512_ternarylogic_epi32(_mm512_srli_epi32(add_half_even(a), 16), add_half_even(b),
                                        _mm512_set1_epi32(static_cast<int>(0xffff0000u)), kFirstOrBoth));
}
HS_INLINE void store_halves(std::uint16_t* low, std::uint16_t* high, UInt pairs) {
  const __m512i apart = _mm512_set_epi16(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1, 30, 28, 26, 24, 22,
                                         20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
  const __m512i words = _mm512_permutexvar_epi16(apart, pairs);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(low), _mm512_castsi512_si256(words));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(high), _mm512_extracti64x4_epi64(words, 1));
}

// 16 x 16 transpose in place: pairs, quads, then 128-bit blocks.
HS_INLINE void transpose(Reg* r) {
  __m512d t[16], u[16];
  HS_UNROLL for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_castps_pd(_mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]));
    t[2 * i + 1] = _mm512_castps_pd(_mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]));
  }
  HS_UNROLL for (int i = 0; i < 4; ++i) {
    u[4 * i + 0] = _mm512_unpacklo_pd(t[4 * i], t[4 * i + 2]);
    u[4 * i + 1] = _mm512_unpackhi_pd(t[4 * i], t[4 * i + 2]);
    u[4 * i + 2] = _mm512_unpacklo_pd(t[4 * i + 1], t[4 * i + 3]);
    u[4 * i + 3] = _mm512_unpackhi_pd(t[4 * i + 1], t[4 * i + 3]);
  }
  HS_UNROLL for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_f64x2(u[i], u[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f64x2(u[i], u[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f64x2(u[i + 8], u[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f64x2(u[i + 8], u[i + 12], 0xdd);
  }
  HS_UNROLL for (int i = 0; i < 4; ++i) {
    r[i] = Reg(_mm512_castpd_ps(_mm512_shuffle_f64x2(t[i], t[i + 8], 0x88)));
    r[i + 4] = Reg(_mm512_castpd_ps(_mm512_shuffle_f64x2(t[i + 4], t[i + 12], 0x88)));
    r[i + 8] = Reg(_mm512_castpd_ps(_mm512_shuffle_f64x2(t[i], t[i + 8], 0xdd)));
    r[i + 12] = Reg(_mm512_castpd_ps(_mm512_shuffle_f64x2(t[i + 4], t[i + 12], 0xdd)));
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
