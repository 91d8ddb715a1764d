// Every rounding decision of a 16-bit type: for each pair of neighbouring values both ends, the midpoint, and the fp32
// numbers next to it, in both signs. What each must become follows from the construction, not from any cast.
#pragma once
#include <cmath>
#include <cstdint>
#include <vector>

#include "support/numbers.hpp"

namespace halfstep::test {

using namespace internal;

struct Border {
  float value;
  std::uint16_t code;
};

// Magnitude of a code without its sign; the code of infinity counts as the next power of two.
inline double magnitude_of(Dtype dtype, std::uint32_t code) {
  const int mantissa_bits = dtype == Dtype::bf16 ? 7 : 10, bias = dtype == Dtype::bf16 ? 127 : 15;
  const auto mantissa = static_cast<int>(code & ((1u << mantissa_bits) - 1));
  const auto exponent = static_cast<int>(code >> mantissa_bits);
  if (exponent == 0) return std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
}

inline std::uint32_t infinity_of(Dtype dtype) { return dtype == Dtype::bf16 ? 0x7f80u : 0x7c00u; }

inline std::vector<Border> rounding_borders(Dtype dtype) {
  std::vector<Border> out;
  auto add = [&](std::uint32_t bits, std::uint32_t code) {
    // fp32 subnormals become zero on the way to bf16.
    if (dtype == Dtype::bf16 && bits < 0x00800000u) code = 0;
    for (std::uint32_t sign : {0u, 0x8000u}) {
      out.push_back({float_of(bits | sign << 16), static_cast<std::uint16_t>(code | sign)});
    }
  };
  for (std::uint32_t code = 0; code < infinity_of(dtype); ++code) {
    const double low = magnitude_of(dtype, code), high = magnitude_of(dtype, code + 1);
    const std::uint32_t middle = bits_of(static_cast<float>((low + high) / 2));  // exact in fp32
    add(bits_of(static_cast<float>(low)), code);
    add(middle - 1, code);
    add(middle, code % 2 == 0 ? code : code + 1);
    add(middle + 1, code + 1);
    // The fp32 numbers next to an end, too: they must not move.
    add(bits_of(static_cast<float>(low)) + 1, code);
  }
  add(0x7f800000u, infinity_of(dtype));
  add(0x7f7fffffu, infinity_of(dtype));
  return out;
}

// NaNs stay NaN with their sign and the top bits of their payload, and become quiet.
inline std::vector<Border> nan_borders(Dtype dtype) {
  std::vector<Border> out;
  const int dropped = dtype == Dtype::bf16 ? 16 : 13;
  const std::uint32_t quiet = dtype == Dtype::bf16 ? 0x40u : 0x200u;
  for (std::uint32_t payload : {1u, 0x1000u, 0x2000u, 0xffffu, 0x10000u, 0x123456u, 0x3fffffu, 0x400000u, 0x7fffffu}) {
    for (std::uint32_t sign : {0u, 0x8000u}) {
      const std::uint32_t code = sign | infinity_of(dtype) | quiet | payload >> dropped;
      out.push_back({float_of(sign << 16 | 0x7f800000u | payload), static_cast<std::uint16_t>(code)});
    }
  }
  return out;
}

// fp32 bits that a code must widen to.
inline std::uint32_t widened_bits(Dtype dtype, std::uint32_t code) {
  const std::uint32_t sign = code & 0x8000u, rest = code & 0x7fffu;
  if (rest == infinity_of(dtype)) return sign << 16 | 0x7f800000u;
  if (rest > infinity_of(dtype)) {
    if (dtype == Dtype::bf16) return code << 16;  // a plain shift: nothing becomes quiet
    return sign << 16 | 0x7fc00000u | (rest & 0x3ffu) << 13;
  }
  return sign << 16 | bits_of(static_cast<float>(magnitude_of(dtype, rest)));
}

}  // namespace halfstep::test
