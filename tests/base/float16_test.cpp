#include "base/float16.hpp"

#include <doctest/doctest.h>

#include <cfenv>

#include "base/fp_env.hpp"
#include "support/borders.hpp"
#include "support/effort.hpp"
#include "support/mismatches.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr Dtype kHalves[] = {Dtype::bf16, Dtype::fp16};

// Runs f under every rounding mode, with and without flushing.
template <class F>
void in_every_environment(F f) {
  for (int mode : kEachRounding) {
    {
      const RoundingMode rounding(mode);
      f(mode, false);
    }
    const FpEnvGuard guard;
    const RoundingMode rounding(mode);
    f(mode, true);
  }
}

TEST_CASE("float16: all codes widen exactly, whatever the environment") {
  for (Dtype dtype : kHalves) {
    std::vector<std::uint32_t> expected(65536);
    for (std::uint32_t code = 0; code < 65536; ++code) expected[code] = widened_bits(dtype, code);
    Mismatches wrong;
    in_every_environment([&](int mode, bool flushed) {
      for (std::uint32_t code = 0; code < 65536; ++code) {
        const std::uint32_t word = code;  // the low half comes first on every machine of ours
        const std::uint32_t got = bits_of(get(dtype, &word, 0));
        if (got != expected[code]) {
          wrong.add(name(dtype), " code ", hex(code), " mode ", mode, " flush ", flushed, ": ", hex(got), " not ",
                    hex(expected[code]));
        }
      }
    });
    CHECK_MESSAGE(wrong.none(), wrong.text());
  }
}

TEST_CASE("float16: every rounding border, whatever the environment") {
  for (Dtype dtype : kHalves) {
    std::vector<Border> borders = rounding_borders(dtype);
    for (const Border& b : nan_borders(dtype)) borders.push_back(b);
    Mismatches wrong;
    in_every_environment([&](int mode, bool flushed) {
      for (const Border& b : borders) {
        const std::uint32_t got = rounded(dtype, b.value);
        if (got != b.code) {
          wrong.add(name(dtype), " of ", hex(bits_of(b.value)), " mode ", mode, " flush ", flushed, ": ", hex(got),
                    " not ", hex(b.code));
        }
      }
    });
    CHECK_MESSAGE(wrong.none(), wrong.text());
  }
}

// Rounds by scaling the last kept bit to one and letting nearbyint decide.
std::uint32_t by_scaling(Dtype dtype, float value) {
  const int mantissa_bits = dtype == Dtype::bf16 ? 7 : 10, least = dtype == Dtype::bf16 ? -126 : -14;
  const std::uint32_t sign = std::signbit(value) ? 0x8000u : 0;
  const double size = std::fabs(static_cast<double>(value));
  if (dtype == Dtype::bf16 && size < 0x1p-126) return sign;
  const int exponent = size == 0 ? least : std::max(least, std::ilogb(size));
  const double steps = std::nearbyint(std::ldexp(size, mantissa_bits - exponent));
  // A mantissa that reached the next power of two carries into the exponent by itself.
  const std::uint32_t code =
      static_cast<std::uint32_t>(exponent - least) * (1u << mantissa_bits) + static_cast<std::uint32_t>(steps);
  return sign | std::min(code, infinity_of(dtype));
}

TEST_CASE("float16: random floats against rounding by scaling") {
  const Rng rng(1, 1);
  Mismatches wrong;
  for (std::size_t i = 0; i < sized(1000000); ++i) {
    // Half of them in the range of fp16, or most would overflow.
    std::uint32_t bits = rng.u32(i);
    if (i % 2 == 0) bits = (bits & 0x807fffffu) | (96 + (bits >> 23) % 50) << 23;
    const float value = float_of(bits);
    if (!std::isfinite(value)) continue;
    for (Dtype dtype : kHalves) {
      const std::uint32_t got = rounded(dtype, value), expected = by_scaling(dtype, value);
      if (got != expected) wrong.add(name(dtype), " of ", hex(bits), ": ", hex(got), " not ", hex(expected));
    }
  }
  CHECK_MESSAGE(wrong.none(), wrong.text());
}

TEST_CASE("float16: borders with a name") {
  CHECK(to_fp16(65519.996f).bits == 0x7bff);
  CHECK(to_fp16(65520.0f).bits == 0x7c00);
  CHECK(to_fp16(-65520.0f).bits == 0xfc00);
  CHECK(to_fp16(0x1p-25f).bits == 0);
  CHECK(to_fp16(-0x1p-25f).bits == 0x8000);
  CHECK(to_fp16(float_of(bits_of(0x1p-25f) + 1)).bits == 1);
  CHECK(to_fp16(0.999f).bits == to_fp16(0.9990234f).bits);
  CHECK(to_fp16(1e-8f).bits == 0);
  CHECK(to_bf16(float_of(0x7f7f7fff)).bits == 0x7f7f);
  CHECK(to_bf16(float_of(0x7f7f8000)).bits == 0x7f80);
  CHECK(to_bf16(float_of(0x007fffff)).bits == 0);
  CHECK(to_bf16(float_of(0x807fffff)).bits == 0x8000);
  CHECK(to_bf16(float_of(0x00800000)).bits == 0x0080);
  CHECK(to_bf16(0.999f).bits == 0x3f80);
  CHECK(to_bf16(float_of(0x7f800001)).bits == 0x7fc0);
  CHECK(to_bf16(float_of(0xffa10001)).bits == 0xffe1);
  CHECK(to_fp16(float_of(0x7f800001)).bits == 0x7e00);
}

}  // namespace
