// Numbers on which kernels go wrong: zeros, subnormals, ties of rounding, borders of the types, infinities, NaN, and
// arguments at which functions leave their ordinary path.
#pragma once
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/float16.hpp"
#include "halfstep/types.hpp"

namespace halfstep::internal {

// As bits of fp32. Their number is a prime: arrays that go through them in steps of their own meet in every pair.
inline constexpr std::uint32_t kSpecialBits[] = {
    0x00000000, 0x80000000, 0x3f800000, 0xbf800000,  // zeros and ones
    0x00000001, 0x80000001, 0x007fffff, 0x00010000,  // subnormals
    0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff,  // least and largest normal
    0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345,  // infinities, quiet NaN
    0x7f800001, 0xffa00000,                          // signalling NaN
    0x3f808000, 0x3f818000, 0x3f807fff, 0x3f808001,  // to bf16: ties to an even and an odd code, and beside one
    0x7f7f8000, 0x7f7f7fff,                          // to bf16: infinity, and just not
    0x3f801000, 0x3f803000, 0x3f800fff, 0x3f801001,  // to fp16: likewise
    0x477ff000, 0x477fefff, 0x477fe000, 0x38800000,  // to fp16: infinity, just not, the largest, the least normal
    0x33000000, 0x33000001, 0x33c00000, 0x387fe000,  // to fp16: zero, just not, a tie of subnormals, one of them
    0x42b17218, 0xc2aeac50, 0xc2cff1b5, 0x41a00000,  // 88.7, -87.3, -104, 20: of exponentials
    0xbf40be0c, 0x5f800000, 0x1f800000,              // a zero of the derivative of GELU, 2^64, 2^-64
};
inline constexpr std::size_t kSpecials = sizeof kSpecialBits / sizeof kSpecialBits[0];
static_assert(kSpecials == 43);

constexpr std::uint32_t special_bits(std::size_t index) { return kSpecialBits[index % kSpecials]; }

// The same as a code of storage. Not only rounded to it: bf16 also gets its subnormals, both get signalling NaN.
constexpr std::uint32_t special_code(Dtype dtype, std::size_t index) {
  const std::uint32_t bits = special_bits(index);
  if (dtype == Dtype::fp32) return bits;
  if (dtype == Dtype::bf16) return bits >> 16;
  const std::uint32_t code = to_fp16(std::bit_cast<float>(bits)).bits;
  const bool signalling = (bits & 0x7fc00000u) == 0x7f800000u && (bits & 0x003fffffu) != 0;
  return signalling ? (code & ~0x200u) | 1u : code;
}

// An ordinary number in [-2, 2): another for each array and index, in scattered order (the finaliser of MurmurHash3).
constexpr float ordinary(std::size_t array, std::size_t index) {
  auto x = static_cast<std::uint32_t>(array * 0x10000 + index + 1);
  x = (x ^ x >> 16) * 0x85ebca6bu;
  x = (x ^ x >> 13) * 0xc2b2ae35u;
  x ^= x >> 16;
  return static_cast<float>(x >> 8) * 0x1p-22f - 2.0f;
}

// As storage holds it.
constexpr std::uint32_t code_of(Dtype dtype, float value) {
  if (dtype == Dtype::fp32) return std::bit_cast<std::uint32_t>(value);
  return dtype == Dtype::bf16 ? to_bf16(value).bits : to_fp16(value).bits;
}

}  // namespace halfstep::internal
