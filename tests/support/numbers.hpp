// Floats as bits, random floats, and fp32, bf16 and fp16 memory through the reference casts.
#pragma once
#include <array>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/arena.hpp"
#include "base/dtype.hpp"
#include "base/float16.hpp"
#include "base/rng.hpp"
#include "kernels/table.hpp"

namespace halfstep::test {

using namespace internal;

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
inline constexpr Dtype kEachDtype[] = {Dtype::fp32, Dtype::bf16, Dtype::fp16};
inline constexpr auto kEachActivation = [] {
  std::array<Activation, kEnumNames<Activation>.size()> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Activation>(i);
  return all;
}();
inline constexpr int kEachRounding[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};

inline const char* label(Activation activation) {
  return name(activation).data();  // ends with a zero: a literal
}

// One rounding mode for a scope.
class RoundingMode {
 public:
  explicit RoundingMode(int mode) : before_(std::fegetround()) { std::fesetround(mode); }
  ~RoundingMode() { std::fesetround(before_); }
  RoundingMode(const RoundingMode&) = delete;
  RoundingMode& operator=(const RoundingMode&) = delete;

 private:
  int before_;
};

inline std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }
inline float float_of(std::uint32_t bits) { return std::bit_cast<float>(bits); }
inline std::string hex(std::uint32_t bits) {
  char text[16];
  std::snprintf(text, sizeof text, "0x%08x", bits);
  return text;
}
// Bit for bit; which NaN it is depends on the order of operands that a compiler chose, so NaNs are alike.
inline bool same_bits(float a, float b) { return bits_of(a) == bits_of(b) || (std::isnan(a) && std::isnan(b)); }

// `n` values in [-size, size).
inline AlignedBuffer<float> random_floats(std::size_t n, std::uint64_t stream, float size = 1.0f) {
  const Rng rng(20240601, stream);
  AlignedBuffer<float> out(n);
  for (std::size_t i = 0; i < n; ++i) out[i] = (2.0f * rng.uniform(i) - 1.0f) * size;
  return out;
}

// The contract of RandomPlace, written as one index.
inline std::uint32_t random16(const RandomPlace& at, std::uint64_t element) {
  const std::uint64_t block = element / 128 * 16 + element % 16;
  const std::uint32_t word = Rng(at.seed, at.stream).u32(4 * block + element % 128 / 32);
  return element / 16 % 2 == 0 ? word & 0xffff : word >> 16;
}

// Element `index` of storage memory as it lies there, widened to 32 bits.
inline std::uint32_t raw(Dtype dtype, const void* data, std::size_t index) {
  if (dtype == Dtype::fp32) return static_cast<const std::uint32_t*>(data)[index];
  return static_cast<const std::uint16_t*>(data)[index];
}
inline float get(Dtype dtype, const void* data, std::size_t index) {
  const std::uint32_t word = raw(dtype, data, index);
  if (dtype == Dtype::fp32) return float_of(word);
  const auto half = static_cast<std::uint16_t>(word);
  return dtype == Dtype::bf16 ? to_fp32(Bf16{half}) : to_fp32(Fp16{half});
}
// What `value` becomes in storage, as raw() would read it.
inline std::uint32_t rounded(Dtype dtype, float value) {
  if (dtype == Dtype::fp32) return bits_of(value);
  return dtype == Dtype::bf16 ? to_bf16(value).bits : to_fp16(value).bits;
}
inline void put(Dtype dtype, void* data, std::size_t index, float value) {
  const std::uint32_t word = rounded(dtype, value);
  if (dtype == Dtype::fp32) {
    static_cast<std::uint32_t*>(data)[index] = word;
  } else {
    static_cast<std::uint16_t*>(data)[index] = static_cast<std::uint16_t>(word);
  }
}
inline bool same_stored(Dtype dtype, std::uint32_t a, std::uint32_t b) {
  if (a == b) return true;
  return std::isnan(get(dtype, &a, 0)) && std::isnan(get(dtype, &b, 0));
}

// The layout contract of kernels/table.hpp, written as one index.
inline std::size_t panel_index(Dtype dtype, std::size_t row, std::size_t column, std::size_t panel_stride) {
  const std::size_t lane = column % kLanes, panel = column / kLanes * panel_stride;
  if (dtype == Dtype::bf16) return panel + row / 2 * 2 * kLanes + lane * 2 + row % 2;
  return panel + row * kLanes + lane;
}

// Bytes that no kernel writes by chance, to see whether somebody wrote beyond an end.
inline constexpr unsigned char kCanary = 0x5b;

}  // namespace halfstep::test
