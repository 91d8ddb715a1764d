// The vocabulary of the kernel bodies: 16 virtual lanes on every ISA, so that a reduction over lanes has one shape.
#pragma once

#ifndef HS_FMA
#define HS_FMA HS_INLINE
#endif

namespace halfstep::internal::HS_NAMESPACE {

inline constexpr std::size_t kRegs = kLanes / kRegLanes;

// Copied register by register: GCC copies a plain struct in pieces through memory where it does not see through it, and
// a wide load of what narrow stores have just written stalls.
template <class R>
struct Registers {
  R r[kRegs];
  Registers() = default;
  HS_INLINE Registers(const Registers& other) { *this = other; }
  HS_INLINE Registers& operator=(const Registers& other) {
    HS_UNROLL for (std::size_t i = 0; i < kRegs; ++i) r[i] = other.r[i];
    return *this;
  }
};
using Wide = Registers<Reg>;
using WideBits = Registers<UInt>;

template <class F>
HS_INLINE Wide map(F f) {
  Wide out;
  HS_UNROLL for (std::size_t i = 0; i < kRegs; ++i) out.r[i] = f(i);
  return out;
}
template <class F>
HS_INLINE WideBits map_bits(F f) {
  WideBits out;
  HS_UNROLL for (std::size_t i = 0; i < kRegs; ++i) out.r[i] = f(i);
  return out;
}

HS_INLINE Wide load(const float* p) {
  return map([&](std::size_t i) HS_INLINED { return reg_load(p + i * kRegLanes); });
}
HS_INLINE void store(float* p, const Wide& x) {
  HS_UNROLL for (std::size_t i = 0; i < kRegs; ++i) reg_store(p + i * kRegLanes, x.r[i]);
}

// Prefetches a line of memory well before its turn; it may lie beyond the end of an array. Far enough for memory to
// answer in time where a stream takes all that it can give.
inline constexpr std::size_t kAhead = 2048;
template <std::size_t Bytes = kAhead>
HS_INLINE void prefetch_ahead(const void* p) {
  __builtin_prefetch(static_cast<const char*>(p) + Bytes);
}

// Calls f(i) for i = 0, 16, 32, ... as long as 16 elements are left, and returns where it stopped. Prefetches `arrays`,
// the ones that f reads or writes, where they are too long for the first cache: within it that only costs.
inline constexpr std::size_t kLong = 16384;
template <class F, class... T>
HS_INLINE std::size_t for_each_16(std::size_t n, F f, const T*... arrays) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    if (n >= kLong) (prefetch_ahead(arrays + i), ...);
    f(i);
  }
  return i;
}

HS_INLINE Wide set(float x) {
  const Reg r = reg_set(x);
  return map([&](std::size_t) HS_INLINED { return r; });
}
HS_INLINE WideBits set_bits(std::uint32_t x) {
  const UInt r = uint_set(x);
  return map_bits([&](std::size_t) HS_INLINED { return r; });
}

HS_INLINE Wide operator+(const Wide& a, const Wide& b) {
  return map([&](std::size_t i) HS_INLINED { return a.r[i] + b.r[i]; });
}
HS_INLINE Wide operator-(const Wide& a, const Wide& b) {
  return map([&](std::size_t i) HS_INLINED { return a.r[i] - b.r[i]; });
}
HS_INLINE Wide operator*(const Wide& a, const Wide& b) {
  return map([&](std::size_t i) HS_INLINED { return a.r[i] * b.r[i]; });
}
HS_INLINE Wide operator/(const Wide& a, const Wide& b) {
  return map([&](std::size_t i) HS_INLINED { return reg_divide(a.r[i], b.r[i]); });
}
HS_FMA Wide fma(const Wide& a, const Wide& b, const Wide& c) {
  return map([&](std::size_t i) HS_INLINED { return fma(a.r[i], b.r[i], c.r[i]); });
}
// a b - c and c - a b.
HS_FMA Wide fms(const Wide& a, const Wide& b, const Wide& c) {
  return map([&](std::size_t i) HS_INLINED { return reg_fms(a.r[i], b.r[i], c.r[i]); });
}
HS_FMA Wide fnma(const Wide& a, const Wide& b, const Wide& c) {
  return map([&](std::size_t i) HS_INLINED { return reg_fnma(a.r[i], b.r[i], c.r[i]); });
}
HS_INLINE Wide sqrt(const Wide& a) {
  return map([&](std::size_t i) HS_INLINED { return reg_sqrt(a.r[i]); });
}
// yes where a > b; no elsewhere, NaN included.
HS_INLINE Wide select_greater(const Wide& a, const Wide& b, const Wide& yes, const Wide& no) {
  return map([&](std::size_t i) HS_INLINED { return select_greater(a.r[i], b.r[i], yes.r[i], no.r[i]); });
}

// a > b ? a : b and a < b ? a : b: one instruction on x86. b where either is NaN, and of two zeros.
HS_INLINE Wide greater_of(const Wide& a, const Wide& b) {
  return map([&](std::size_t i) HS_INLINED { return reg_greater(a.r[i], b.r[i]); });
}
HS_INLINE Wide less_of(const Wide& a, const Wide& b) {
  return map([&](std::size_t i) HS_INLINED { return reg_less(a.r[i], b.r[i]); });
}

HS_INLINE WideBits bits(const Wide& a) {
  return map_bits([&](std::size_t i) HS_INLINED { return bits(a.r[i]); });
}
HS_INLINE Wide from_bits(const WideBits& a) {
  return map([&](std::size_t i) HS_INLINED { return from_bits(a.r[i]); });
}
HS_INLINE WideBits operator&(const WideBits& a, const WideBits& b) {
  return map_bits([&](std::size_t i) HS_INLINED { return a.r[i] & b.r[i]; });
}
HS_INLINE WideBits operator|(const WideBits& a, const WideBits& b) {
  return map_bits([&](std::size_t i) HS_INLINED { return a.r[i] | b.r[i]; });
}
HS_INLINE WideBits operator^(const WideBits& a, const WideBits& b) {
  return map_bits([&](std::size_t i) HS_INLINED { return a.r[i] ^ b.r[i]; });
}
HS_INLINE WideBits multiply(const WideBits& a, const WideBits& b, WideBits& high) {
  return map_bits([&](std::size_t i) HS_INLINED { return multiply(a.r[i], b.r[i], high.r[i]); });
}
HS_INLINE WideBits operator+(const WideBits& a, const WideBits& b) {
  return map_bits([&](std::size_t i) HS_INLINED { return a.r[i] + b.r[i]; });
}
HS_INLINE WideBits operator-(const WideBits& a, const WideBits& b) {
  return map_bits([&](std::size_t i) HS_INLINED { return a.r[i] - b.r[i]; });
}
template <int N>
HS_INLINE WideBits shift_left(const WideBits& a) {
  return map_bits([&](std::size_t i) HS_INLINED { return shift_left<N>(a.r[i]); });
}
template <int N>
HS_INLINE WideBits shift_right(const WideBits& a) {
  return map_bits([&](std::size_t i) HS_INLINED { return shift_right<N>(a.r[i]); });
}
// a and b below 2^31.
HS_INLINE WideBits select_greater(const WideBits& a, const WideBits& b, const WideBits& yes, const WideBits& no) {
  return map_bits([&](std::size_t i) HS_INLINED { return select_greater(a.r[i], b.r[i], yes.r[i], no.r[i]); });
}

HS_INLINE WideBits larger(const WideBits& a, const WideBits& b) {
  return map_bits([&](std::size_t i) HS_INLINED { return larger(a.r[i], b.r[i]); });
}

HS_INLINE Wide abs(const Wide& a) { return from_bits(bits(a) & set_bits(0x7fffffffu)); }
HS_INLINE Wide with_sign_of(const Wide& magnitude, const Wide& sign) {
  return from_bits(bits(magnitude) | (bits(sign) & set_bits(0x80000000u)));
}
// Clamps to [-limit, limit]; NaN stays NaN.
HS_INLINE Wide clamp(const Wide& a, const Wide& limit) { return less_of(limit, greater_of(set(0.0f) - limit, a)); }

// One tree for every ISA: lane i with i+8, then +4, +2, +1.
HS_INLINE float sum_lanes(const Wide& a) {
  Wide sum = a;
  HS_UNROLL for (std::size_t half = kRegs / 2; half > 0; half /= 2) {
    HS_UNROLL for (std::size_t i = 0; i < half; ++i) sum.r[i] = sum.r[i] + sum.r[i + half];
  }
  return fold(sum.r[0]);
}

// The same tree in fp64.
HS_INLINE double sum_lanes_fp64(const double* lanes) {
  double sum[kLanes / 2];
  HS_UNROLL for (std::size_t i = 0; i < kLanes / 2; ++i) sum[i] = lanes[i] + lanes[i + kLanes / 2];
  HS_UNROLL for (std::size_t half = kLanes / 4; half > 0; half /= 2) {
    HS_UNROLL for (std::size_t i = 0; i < half; ++i) sum[i] += sum[i + half];
  }
  return sum[0];
}

// 16 x 16 transpose in place through native blocks.
HS_INLINE void transpose(Wide* rows) {
  if constexpr (kRegLanes == kLanes) {
    transpose(&rows[0].r[0]);
  } else {
    Wide in[kLanes];
    for (std::size_t i = 0; i < kLanes; ++i) in[i] = rows[i];
    for (std::size_t bi = 0; bi < kRegs; ++bi) {
      for (std::size_t bj = 0; bj < kRegs; ++bj) {
        Reg block[kRegLanes];
        HS_UNROLL for (std::size_t i = 0; i < kRegLanes; ++i) block[i] = in[bi * kRegLanes + i].r[bj];
        transpose(block);
        HS_UNROLL for (std::size_t i = 0; i < kRegLanes; ++i) rows[bj * kRegLanes + i].r[bi] = block[i];
      }
    }
  }
}

}  // namespace halfstep::internal::HS_NAMESPACE
