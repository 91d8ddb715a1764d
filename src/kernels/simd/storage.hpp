// The three storage types as 16-lane loads and stores, in rows and in panels.
#pragma once

namespace halfstep::internal::HS_NAMESPACE {

// Round to nearest even into the low half of each lane; NaN quiet, fp32 subnormals to signed zero (base/float16.hpp).
HS_INLINE WideBits round_bf16(const Wide& x) {
  const WideBits u = bits(x);
  const WideBits magnitude = u & set_bits(0x7fffffffu);
  const WideBits odd = shift_right<16>(u) & set_bits(1u);
  const WideBits rounded = shift_right<16>(u + set_bits(0x7fffu) + odd);
  const WideBits top = shift_right<16>(u);
  const WideBits normal = select_greater(set_bits(0x00800000u), magnitude, top & set_bits(0x8000u), rounded);
  return select_greater(magnitude, set_bits(0x7f800000u), top | set_bits(0x0040u), normal);
}

// Two rows as pairs, row 0 below, where nothing is NaN.
HS_INLINE WideBits join_bf16(const WideBits& row0, const WideBits& row1) {
  return map_bits([&](std::size_t i) HS_INLINED { return join_rounded(row0.r[i], row1.r[i]); });
}
HS_INLINE WideBits add_half_even(const WideBits& u) {
  return map_bits([&](std::size_t i) HS_INLINED { return add_half_even(u.r[i]); });
}
HS_INLINE WideBits flush_subnormals(const WideBits& u) {
  return map_bits([&](std::size_t i) HS_INLINED { return flush_subnormals(u.r[i]); });
}

HS_INLINE Wide widen_low(const WideBits& pair) { return from_bits(shift_left<16>(pair)); }
HS_INLINE Wide widen_high(const WideBits& pair) { return from_bits(pair & set_bits(0xffff0000u)); }
HS_INLINE WideBits load_pairs(const void* p) {
  const auto* words = static_cast<const std::uint32_t*>(p);
  return map_bits([&](std::size_t i) HS_INLINED { return uint_load(words + i * kRegLanes); });
}

// One half of 16 bf16 pairs, each with a load of its own (family_*.hpp): a pair kept in a register from one half to the
// other would push an accumulator out.
HS_INLINE Wide load_odd16(const std::uint16_t* pairs) {
  return map([&](std::size_t i) HS_INLINED { return load_odd(pairs + 2 * i * kRegLanes); });
}
HS_INLINE Wide load_even16(const std::uint16_t* pairs) {
  return map([&](std::size_t i) HS_INLINED { return load_even(pairs + 2 * i * kRegLanes); });
}
// 16 bf16 values in the order in which tiles multiply them, the odd one of each pair first.
HS_INLINE Wide load_odd_first16(const std::uint16_t* p) {
  return map([&](std::size_t i) HS_INLINED { return load_exchanged(p, i * kRegLanes); });
}

// Lanes below `valid` (at most 16) kept, those above zero, whatever they held.
HS_INLINE Wide keep_lanes(const Wide& x, std::size_t valid) {
  alignas(64) static constexpr std::uint32_t kMask[2 * kLanes] = {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u,
                                                                  ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
  const std::uint32_t* mask = kMask + kLanes - valid;
  return from_bits(bits(x) & map_bits([&](std::size_t i) HS_INLINED { return uint_load(mask + i * kRegLanes); }));
}

// load16 and store16 move 16 elements. A Pair is two rows of 16, rounded once, that can go to row-major memory
// (store_rows), to a panel (store_panel), or to both. round_result takes what arithmetic under FpEnvGuard has made,
// which is never subnormal; round_pair takes anything. load_panel brings back what store_panel has put.
template <Dtype D>
struct Storage;

struct PlainPair {
  Wide row0, row1;
};

template <>
struct Storage<Dtype::fp32> {
  using Type = float;
  using Pair = PlainPair;
  static HS_INLINE Wide load16(const Type* p) { return load(p); }
  static HS_INLINE void store16(Type* p, const Wide& x) { store(p, x); }
  static HS_INLINE Pair round_pair(const Wide& row0, const Wide& row1) { return {row0, row1}; }
  static HS_INLINE Pair round_result(const Wide& row0, const Wide& row1) { return {row0, row1}; }
  static HS_INLINE void store_rows(Type* p0, Type* p1, const Pair& pair) {
    store16(p0, pair.row0);
    store16(p1, pair.row1);
  }
  static HS_INLINE void store_panel(Type* p, const Pair& pair) { store_rows(p, p + kLanes, pair); }
  static HS_INLINE PlainPair load_panel(const Type* p) { return {load16(p), load16(p + kLanes)}; }
};

template <>
struct Storage<Dtype::fp16> {
  using Type = std::uint16_t;
  using Pair = PlainPair;  // rounded by the store
  static HS_INLINE Wide load16(const Type* p) {
    return map([&](std::size_t i) HS_INLINED { return load_fp16(p + i * kRegLanes); });
  }
  static HS_INLINE void store16(Type* p, const Wide& x) {
    HS_UNROLL for (std::size_t i = 0; i < kRegs; ++i) store_fp16(p + i * kRegLanes, x.r[i]);
  }
  static HS_INLINE Pair round_pair(const Wide& row0, const Wide& row1) { return {row0, row1}; }
  static HS_INLINE Pair round_result(const Wide& row0, const Wide& row1) { return {row0, row1}; }
  static HS_INLINE void store_rows(Type* p0, Type* p1, const Pair& pair) {
    store16(p0, pair.row0);
    store16(p1, pair.row1);
  }
  static HS_INLINE void store_panel(Type* p, const Pair& pair) { store_rows(p, p + kLanes, pair); }
  static HS_INLINE PlainPair load_panel(const Type* p) { return {load16(p), load16(p + kLanes)}; }
};

template <>
struct Storage<Dtype::bf16> {
  using Type = std::uint16_t;
  static HS_INLINE Wide load16(const Type* p) {
    return map([&](std::size_t i) HS_INLINED { return load_bf16(p + i * kRegLanes); });
  }
  static HS_INLINE PlainPair load_panel(const Type* p) {
    const WideBits pairs = load_pairs(p);
    return {widen_low(pairs), widen_high(pairs)};
  }
#if defined(__AVX512BF16__)
  using Pair = __m512i;  // row 0 below, row 1 above
  static HS_INLINE void store16(Type* p, const Wide& x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), (__m256i)_mm512_cvtneps_pbh(x.r[0]));
  }
  static HS_INLINE Pair round_pair(const Wide& row0, const Wide& row1) {
    return (__m512i)_mm512_cvtne2ps_pbh(row1.r[0], row0.r[0]);
  }
  static HS_INLINE Pair round_result(const Wide& row0, const Wide& row1) { return round_pair(row0, row1); }
  static HS_INLINE void store_rows(Type* p0, Type* p1, Pair pair) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p0), _mm512_castsi512_si256(pair));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p1), _mm512_extracti64x4_epi64(pair, 1));
  }
  static HS_INLINE void store_panel(Type* p, Pair pair) {
    const __m512i interleave = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22,
                                                6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi16(interleave, pair));
  }
#else
  using Pair = WideBits;  // in each lane row 0 below, row 1 above, as in a panel
  static HS_INLINE void store16(Type* p, const Wide& x) {
    WideBits rounded = shift_right<16>(add_half_even(flush_subnormals(bits(x))));
    if (any_nan(x)) rounded = round_bf16(x);
    HS_UNROLL for (std::size_t i = 0; i < kRegs; ++i) store_words(p + i * kRegLanes, rounded.r[i]);
  }
  // True if any of them is, and of some infinities too.
  static HS_INLINE bool any_nan(const Wide& x) {
    Reg sum = x.r[0];
    HS_UNROLL for (std::size_t i = 1; i < kRegs; ++i) sum = sum + x.r[i];
    return __builtin_expect(HS_NAMESPACE::any_nan(sum), 0);
  }
  static HS_INLINE Pair round_special(const Wide& row0, const Wide& row1) {
    return round_bf16(row0) | shift_left<16>(round_bf16(row1));
  }
  static HS_INLINE Pair round_pair(const Wide& row0, const Wide& row1) {
    if (any_nan(row0 + row1)) return round_special(row0, row1);
    return join_bf16(flush_subnormals(bits(row0)), flush_subnormals(bits(row1)));
  }
  static HS_INLINE Pair round_result(const Wide& row0, const Wide& row1) {
    if (any_nan(row0 + row1)) return round_special(row0, row1);
    return join_bf16(bits(row0), bits(row1));
  }
  static HS_INLINE void store_rows(Type* p0, Type* p1, const Pair& pair) {
    HS_UNROLL for (std::size_t i = 0; i < kRegs; ++i) store_halves(p0 + i * kRegLanes, p1 + i * kRegLanes, pair.r[i]);
  }
  static HS_INLINE void store_panel(Type* p, const Pair& pair) {
    HS_UNROLL for (std::size_t i = 0; i < kRegs; ++i) {
      uint_store(reinterpret_cast<std::uint32_t*>(p) + i * kRegLanes, pair.r[i]);
    }
  }
#endif
};

}  // namespace halfstep::internal::HS_NAMESPACE
