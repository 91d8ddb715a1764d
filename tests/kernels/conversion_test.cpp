// fp32 <-> storage on every ISA, bit for bit as base/float16 and as the construction of the borders says.
#include <doctest/doctest.h>

#include <cstring>

#include "base/fp_env.hpp"
#include "support/borders.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

std::vector<Border> all_borders(Dtype dtype) {
  std::vector<Border> borders = rounding_borders(dtype);
  for (const Border& b : nan_borders(dtype)) borders.push_back(b);
  return borders;
}

// The host may round and flush as it likes: the guard inside decides.
template <class F>
void under_every_host(F f) {
  for (int mode : kEachRounding) {
    const RoundingMode rounding(mode);
    const FpEnvGuard guard;
    f(mode);
  }
  const FpEnvGuard flushing_host;
  const FpEnvGuard guard;
  f(FE_TONEAREST);
}

TEST_CASE("kernels: from_fp32 is right at every rounding border") {
  for (Dtype dtype : {Dtype::bf16, Dtype::fp16}) {
    const std::vector<Border> borders = all_borders(dtype);
    AlignedBuffer<float> in(borders.size());
    for (std::size_t i = 0; i < borders.size(); ++i) std::memcpy(&in[i], &borders[i].value, 4);
    for_each_runnable_isa([&](const KernelTable& kernels) {
      AlignedBuffer<std::uint16_t> out(borders.size());
      Mismatches wrong;
      under_every_host([&](int mode) {
        std::memset(out.data(), kCanary, 2 * out.size());
        kernels.from_fp32[index_of(dtype)](in.size(), in.data(), out.data());
        for (std::size_t i = 0; i < borders.size(); ++i) {
          if (out[i] == borders[i].code) continue;
          wrong.add(kernels.name, " ", name(dtype), " mode ", mode, " of ", hex(bits_of(in[i])), ": ", hex(out[i]),
                    " not ", hex(borders[i].code));
        }
      });
      CHECK_MESSAGE(wrong.none(), wrong.text());
    });
  }
}

TEST_CASE("kernels: to_fp32 is right for all codes") {
  AlignedBuffer<std::uint16_t> in(65536);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<std::uint16_t>(i);
  for (Dtype dtype : {Dtype::bf16, Dtype::fp16}) {
    std::vector<std::uint32_t> expected(65536);
    for (std::uint32_t code = 0; code < 65536; ++code) expected[code] = widened_bits(dtype, code);
    for_each_runnable_isa([&](const KernelTable& kernels) {
      AlignedBuffer<float> out(in.size());
      Mismatches wrong;
      under_every_host([&](int mode) {
        kernels.to_fp32[index_of(dtype)](in.size(), in.data(), out.data());
        for (std::uint32_t code = 0; code < 65536; ++code) {
          if (bits_of(out[code]) == expected[code]) continue;
          wrong.add(kernels.name, " ", name(dtype), " mode ", mode, " code ", hex(code), ": ", hex(bits_of(out[code])),
                    " not ", hex(expected[code]));
        }
      });
      CHECK_MESSAGE(wrong.none(), wrong.text());
    });
  }
}

TEST_CASE("kernels: bytes_to_fp32 rounds the product, then the sum") {
  std::vector<std::uint8_t> bytes(300);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (std::size_t n = 0; n <= bytes.size() - 3; ++n) {
      for (const float shift : {0.0f, -0.1307f}) {
        std::vector<float> out(n + 1, 99.0f);
        kernels.bytes_to_fp32(n, bytes.data() + n % 3, 1.0f / 255, shift, out.data());
        for (std::size_t i = 0; i < n; ++i) {
          volatile float product = static_cast<float>(bytes[n % 3 + i]) * (1.0f / 255);  // no fma
          const float expected = product + shift;
          if (bits_of(out[i]) != bits_of(expected)) wrong.add(kernels.name, " n ", n, " at ", i, ": ", out[i]);
        }
        if (out[n] != 99.0f) wrong.add(kernels.name, " n ", n, " wrote behind it");
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

// The first `n` elements come out as expected and nothing is written behind them.
void check_length(Mismatches& wrong, const KernelTable& kernels, Dtype dtype, const Border* borders, std::size_t n) {
  std::vector<float> in(n), back(n + 16);
  std::vector<unsigned char> stored((n + 16) * 4, kCanary);
  std::memset(back.data(), kCanary, back.size() * 4);
  for (std::size_t i = 0; i < n; ++i) in[i] = borders[i].value;
  kernels.from_fp32[index_of(dtype)](n, in.data(), stored.data());
  kernels.to_fp32[index_of(dtype)](n, stored.data(), back.data());
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t got = raw(dtype, stored.data(), i), expected = rounded(dtype, in[i]);
    const float widened = get(dtype, &expected, 0);
    if (got != expected)
      wrong.add(kernels.name, " ", name(dtype), " n ", n, " at ", i, ": ", hex(got), " not ", hex(expected));
    if (!same_bits(back[i], widened)) {
      wrong.add(kernels.name, " ", name(dtype), " back n ", n, " at ", i, ": ", back[i], " not ", widened);
    }
  }
  for (std::size_t i = n * size_of(dtype); i < stored.size(); ++i) {
    if (stored[i] != kCanary) wrong.add(kernels.name, " ", name(dtype), " n ", n, " wrote byte ", i);
  }
  const auto* tail = reinterpret_cast<const unsigned char*>(back.data());
  for (std::size_t i = n * 4; i < back.size() * 4; ++i) {
    if (tail[i] != kCanary) wrong.add(kernels.name, " ", name(dtype), " back n ", n, " wrote byte ", i);
  }
}

TEST_CASE("kernels: conversions of every length stop where they should") {
  for (Dtype dtype : kEachDtype) {
    const std::vector<Border> borders = rounding_borders(dtype == Dtype::fp32 ? Dtype::bf16 : dtype);
    for_each_runnable_isa([&](const KernelTable& kernels) {
      Mismatches wrong;
      under_every_host([&](int) {
        for (std::size_t n = 0; n <= 70; ++n) check_length(wrong, kernels, dtype, &borders[20000 + 31 * n], n);
      });
      CHECK_MESSAGE(wrong.none(), wrong.text());
    });
  }
}

}  // namespace
