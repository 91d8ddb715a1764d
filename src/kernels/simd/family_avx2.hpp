// AVX2 with FMA and F16C.
#pragma once
#include <immintrin.h>

namespace halfstep::internal::HS_NAMESPACE {

// Of 16 registers 12 hold accumulators, 2 a panel, one a broadcast.
inline constexpr TileShapes kIsaShapes = {.panels = 1, .most_rows = {6}};
// Steps of k in a turn of a tile's loop: counting takes ports that fma needs. A step is 24 fma; two are 1 to 3 % faster
// than one, four are slower.
inline constexpr std::size_t kIsaSteps = 2;

HS_INLINE UInt bits(Reg x) { return UInt(_mm256_castps_si256(x)); }
HS_INLINE Reg from_bits(UInt x) { return Reg(_mm256_castsi256_ps(x)); }
HS_INLINE Reg reg_divide(Reg a, Reg b) { return Reg(_mm256_div_ps(a, b)); }
HS_INLINE Reg reg_sqrt(Reg x) { return Reg(_mm256_sqrt_ps(x)); }
HS_INLINE Reg fma(Reg a, Reg b, Reg c) { return Reg(_mm256_fmadd_ps(a, b, c)); }
HS_INLINE Reg reg_fms(Reg a, Reg b, Reg c) { return Reg(_mm256_fmsub_ps(a, b, c)); }
HS_INLINE Reg reg_fnma(Reg a, Reg b, Reg c) { return Reg(_mm256_fnmadd_ps(a, b, c)); }
HS_INLINE Reg reg_greater(Reg a, Reg b) { return Reg(_mm256_max_ps(a, b)); }
HS_INLINE Reg reg_less(Reg a, Reg b) { return Reg(_mm256_min_ps(a, b)); }

// Sum of the lanes: lane i with i+4, then +2, +1.
HS_INLINE float fold(Reg r) {
  const __m256 v = r;
  const __m128 x = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(x, _mm_movehl_ps(x, x));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

// Low half of the 64-bit products; the high half goes to `high`.
HS_INLINE UInt multiply(UInt a, UInt b, UInt& high) {
  const __m256i even = _mm256_mul_epu32(a, b),
                odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
  high = UInt(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa));
  return UInt(_mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa));
}

// The lanes of a Reg in fp64.
struct Doubles {
  __m256d low, high;
};
HS_INLINE Doubles doubles_zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
HS_INLINE Doubles add_squares(Doubles sum, Reg x) {
  const __m256d low = _mm256_cvtps_pd(_mm256_castps256_ps128(x)), high = _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
  return {_mm256_fmadd_pd(low, low, sum.low), _mm256_fmadd_pd(high, high, sum.high)};
}
// Converts as it loads: one instruction less than from a register that was loaded for something else.
HS_INLINE Doubles add_squares(Doubles sum, const float* p) {
  const __m256d low = _mm256_cvtps_pd(_mm_loadu_ps(p)), high = _mm256_cvtps_pd(_mm_loadu_ps(p + 4));
  return {_mm256_fmadd_pd(low, low, sum.low), _mm256_fmadd_pd(high, high, sum.high)};
}
HS_INLINE Doubles add(Doubles a, Doubles b) { return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)}; }
HS_INLINE void doubles_store(double* p, Doubles x) {
  _mm256_storeu_pd(p, x.low);
  _mm256_storeu_pd(p + 4, x.high);
}

// Halves of 8 bf16 pairs as fp32. Assembler because GCC would merge the two loads and keep the mask in a register, and
// a tile of 12 accumulators leaves four.
alignas(32) inline constexpr std::uint32_t kHighHalves[8] = {0xffff0000u, 0xffff0000u, 0xffff0000u, 0xffff0000u,
                                                             0xffff0000u, 0xffff0000u, 0xffff0000u, 0xffff0000u};
HS_INLINE Reg load_odd(const std::uint16_t* pairs) {
  __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pairs));
  __asm__("vpand %1, %0, %0" : "+x"(x) : "m"(*reinterpret_cast<const __m256i*>(kHighHalves)));
  return from_bits(UInt(x));
}
HS_INLINE Reg load_even(const std::uint16_t* pairs) {
  __m256i x;
  __asm__("vmovdqu %1, %0" : "=x"(x) : "m"(*reinterpret_cast<const __m256i_u*>(pairs)));
  return from_bits(UInt(_mm256_slli_epi32(x, 16)));
}
// One shuffle, of the same eight words in both halves.
HS_INLINE Reg load_exchanged(const std::uint16_t* p, std::size_t at) {
  const __m256i words = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + at)));
  const __m256i places = _mm256_setr_epi8(-1, -1, 2, 3, -1, -1, 0, 1, -1, -1, 6, 7, -1, -1, 4, 5,  //
                                          -1, -1, 10, 11, -1, -1, 8, 9, -1, -1, 14, 15, -1, -1, 12, 13);
  return from_bits(UInt(_mm256_shuffle_epi8(words, places)));
}

HS_INLINE Reg load_fp16(const std::uint16_t* p) {
  return Reg(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
HS_INLINE void store_fp16(std::uint16_t* p, Reg x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
// Each word into the high half of its lane by one shuffle: loading all eight into both halves of a register is free.
HS_INLINE Reg load_bf16(const std::uint16_t* p) {
  const __m256i place = _mm256_set_epi8(15, 14, -1, -1, 13, 12, -1, -1, 11, 10, -1, -1, 9, 8, -1, -1, 7, 6, -1, -1, 5,
                                        4, -1, -1, 3, 2, -1, -1, 1, 0, -1, -1);
  const __m256i words = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  return from_bits(UInt(_mm256_shuffle_epi8(words, place)));
}
HS_INLINE void store_words(std::uint16_t* p, UInt x) {
  const __m256i v = x;
  const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), packed);
}

HS_INLINE bool any_nan(Reg x) { return _mm256_movemask_ps(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)) != 0; }
// Subnormals of fp32 to a zero of their sign.
HS_INLINE UInt flush_subnormals(UInt u) {
  const __m256i exponent = _mm256_and_si256(u, _mm256_set1_epi32(0x7f800000));
  const __m256i small = _mm256_cmpeq_epi32(exponent, _mm256_setzero_si256());
  return UInt(_mm256_andnot_si256(_mm256_srli_epi32(small, 1), u));
}
// u + 0x7fff, and one more where bit 16 is set: the high halves are then those of u to nearest even.
HS_INLINE UInt add_half_even(UInt u) { return u + uint_set(0x7fffu) + (shift_right<16>(u) & uint_set(1u)); }
// The high halves of a and b to nearest even as pairs, a's below; and pairs to two places. Of the average of what the
// low half of a number has and of 0x7ffe or, where its high half is odd, 0x7fff, the top bit says that it rounds up.
HS_INLINE UInt join_rounded(UInt a, UInt b) {
  const __m256i high = _mm256_blend_epi16(_mm256_srli_epi32(a, 16), b, 0xaa);
  const __m256i low = _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xaa);
  const __m256i most = _mm256_or_si256(_mm256_and_si256(high, _mm256_set1_epi16(1)), _mm256_set1_epi16(0x7ffe));
  return UInt(_mm256_sub_epi16(high, _mm256_srai_epi16(_mm256_avg_epu16(low, most), 15)));
}
HS_INLINE void store_halves(std::uint16_t* low, std::uint16_t* high, UInt pairs) {
  const __m256i apart = _mm256_set_epi8(15, 14, 11, 10, 7, 6, 3, 2, 13, 12, 9, 8, 5, 4, 1, 0, 15, 14, 11, 10, 7, 6, 3,
                                        2, 13, 12, 9, 8, 5, 4, 1, 0);
  const __m256i words = _mm256_permute4x64_epi64(_mm256_shuffle_epi8(pairs, apart), 0xd8);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(low), _mm256_castsi256_si128(words));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(high), _mm256_extracti128_si256(words, 1));
}

// 8 x 8 transpose in place.
HS_INLINE void transpose(Reg* r) {
  __m256 t[8], u[8];
  HS_UNROLL for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  HS_UNROLL for (int i = 0; i < 2; ++i) {
    u[4 * i + 0] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  HS_UNROLL for (int i = 0; i < 4; ++i) {
    r[i] = Reg(_mm256_permute2f128_ps(u[i], u[i + 4], 0x20));
    r[i + 4] = Reg(_mm256_permute2f128_ps(u[i], u[i + 4], 0x31));
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
