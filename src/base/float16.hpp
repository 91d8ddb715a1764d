// fp16 and bf16 as storage classes, with scalar reference casts in integers only: they do not depend on the
// rounding mode, FTZ or DAZ of the host. Rule: round to nearest even; NaN becomes quiet and keeps its sign and top
// payload bits; fp32 subnormals become signed zero on the way to bf16; fp16 keeps its own subnormals.
#pragma once
#include <bit>
#include <cstdint>

// Always inlined: a copy in the object file of one ISA could become that of the whole program.
#define HS_CAST [[gnu::always_inline]] constexpr

namespace halfstep::internal {

struct Bf16 {
  std::uint16_t bits;
};
struct Fp16 {
  std::uint16_t bits;
};

HS_CAST float to_fp32(Bf16 value) { return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16); }

HS_CAST Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return {static_cast<std::uint16_t>((bits >> 16) | 0x0040u)};
  if (magnitude < 0x00800000u) return {static_cast<std::uint16_t>((bits >> 16) & 0x8000u)};
  return {static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

HS_CAST float to_fp32(Fp16 value) {
  const std::uint32_t sign = (value.bits & 0x8000u) << 16;
  const std::uint32_t exponent = (value.bits >> 10) & 0x1fu;
  std::uint32_t mantissa = value.bits & 0x3ffu;
  if (exponent == 0x1f) {
    const std::uint32_t quiet = mantissa != 0 ? 0x00400000u : 0u;
    return std::bit_cast<float>(sign | 0x7f800000u | quiet | (mantissa << 13));
  }
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  if (mantissa == 0) return std::bit_cast<float>(sign);
  std::uint32_t shift = 0;  // a subnormal half is a normal float
  while ((mantissa & 0x400u) == 0) {
    mantissa <<= 1;
    ++shift;
  }
  return std::bit_cast<float>(sign | ((113 - shift) << 23) | ((mantissa & 0x3ffu) << 13));
}

HS_CAST Fp16 to_fp16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  auto half = [sign](std::uint32_t low) { return Fp16{static_cast<std::uint16_t>(sign | low)}; };
  if (magnitude > 0x7f800000u) return half(0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return half(0x7c00u);  // 65520 and above
  if (magnitude >= 0x38800000u) {                      // normal halves: 2^-14 and above
    const std::uint32_t rounded = magnitude + 0x0fffu + ((magnitude >> 13) & 1u);
    return half((rounded - (112u << 23)) >> 13);
  }
  if (magnitude <= 0x33000000u) return half(0);          // 2^-25 and below
  const std::uint32_t shift = 126u - (magnitude >> 23);  // bits of the 24-bit significand below 2^-24
  const std::uint32_t significand = (magnitude & 0x7fffffu) | 0x800000u;
  const std::uint32_t kept = significand >> shift;
  const std::uint32_t rest = significand & ((1u << shift) - 1);
  const std::uint32_t tie = 1u << (shift - 1);
  return half(kept + ((rest > tie || (rest == tie && (kept & 1u))) ? 1u : 0u));
}

}  // namespace halfstep::internal

#undef HS_CAST
