#include <doctest/doctest.h>

#include <cstring>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::size_t kLengths[] = {0, 16, 32, 112, 128, 144, 1024, 1040, 4096};

AlignedBuffer<float> filled(std::size_t n, float value) {
  AlignedBuffer<float> x(n);
  for (float& v : x) v = value;
  return x;
}

TEST_CASE("kernels: sum_squares of small integers is exact") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (std::size_t n : kLengths) {
      AlignedBuffer<float> x(n);
      double expected = 0;
      for (std::size_t i = 0; i < n; ++i) {
        x[i] = static_cast<float>(static_cast<int>(i * 7 % 23) - 11);
        expected += static_cast<double>(x[i]) * static_cast<double>(x[i]);
      }
      CHECK_MESSAGE(kernels.sum_squares(n, x.data()) == expected, std::string(kernels.name), " n ", n);
    }
  });
}

TEST_CASE("kernels: sum_squares neither overflows nor vanishes") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (float size : {1e20f, 3e38f, 1e18f, 1e-30f, 1e-18f, 1.2e-38f, 1.0f}) {
      for (std::size_t n : {16u, 128u, 1040u}) {
        const AlignedBuffer<float> x = filled(n, size);
        const double expected = static_cast<double>(n) * static_cast<double>(size) * static_cast<double>(size);
        const double got = kernels.sum_squares(n, x.data());
        CHECK_MESSAGE(std::fabs(got / expected - 1) < 1e-5, std::string(kernels.name), " ", size, ": ", got);
      }
    }
    AlignedBuffer<float> one = filled(144, 0.0f);
    CHECK(kernels.sum_squares(144, one.data()) == 0);
    one[143] = 1e-30f;
    CHECK(kernels.sum_squares(144, one.data()) == doctest::Approx(1e-60).scale(0));
  });
}

TEST_CASE("kernels: sum_squares shows NaN and inf wherever they are") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (float filler : {1.0f, 1e20f, 0.0f}) {
      AlignedBuffer<float> x = filled(272, filler);
      for (std::size_t i = 0; i < x.size(); ++i) {
        for (float bad : {kNan, kInf, -kInf, float_of(0x7f800001), float_of(0xffc00000)}) {
          x[i] = bad;
          const double got = kernels.sum_squares(x.size(), x.data());
          if (std::isfinite(got) || got < 0) wrong.add(kernels.name, " ", bad, " at ", i, " among ", filler, ": ", got);
          x[i] = filler;
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: sum_squares and add have the same bits on every ISA") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (std::size_t n : kLengths) {
      for (float size : {1.0f, 1e-19f, 1e19f, 1e-30f}) {
        const AlignedBuffer<float> x = random_floats(n, 11, size);
        const double got = kernels.sum_squares(n, x.data()), expected = scalar.sum_squares(n, x.data());
        if (std::bit_cast<std::uint64_t>(got) != std::bit_cast<std::uint64_t>(expected)) {
          wrong.add(kernels.name, " n ", n, " size ", size, ": ", got, " not ", expected);
        }
        double plain = 0;
        for (float v : x) plain += static_cast<double>(v) * static_cast<double>(v);
        if (std::fabs(got - plain) > 1e-5 * plain) wrong.add(kernels.name, " n ", n, ": ", got, " far from ", plain);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE(
    "kernels: row_sums of any length against double, the same bits on every ISA, inf and NaN in their row alone") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t columns : {1u, 15u, 16u, 17u, 63u, 64u, 65u, 131u, 1024u, 1025u, 2100u}) {
        const std::size_t rows = 3, ld = (columns + kLanes - 1) / kLanes * kLanes + kLanes;
        AlignedBuffer<float> x(rows * ld);  // memory for any type
        const AlignedBuffer<float> noise = random_floats(rows * ld, 15);
        for (std::size_t i = 0; i < rows * ld; ++i) put(dtype, x.data(), i, i % ld < columns ? noise[i] : kNan);
        double got[3], expected[3];
        auto sum = [&](const KernelTable& k, double* sums) {
          k.row_sums[index_of(dtype)](rows, columns, x.data(), ld, sums);
        };
        sum(kernels, got);
        sum(scalar, expected);
        for (std::size_t r = 0; r < rows; ++r) {
          double plain = 0;
          for (std::size_t c = 0; c < columns; ++c) plain += get(dtype, x.data(), r * ld + c);
          const std::string what = std::string(kernels.name) + " " + std::string(name(dtype)) + " columns " +
                                   std::to_string(columns) + " row " + std::to_string(r);
          if (!(std::fabs(got[r] - plain) <= 1e-5 * std::sqrt(columns))) wrong.add(what, ": ", got[r], " not ", plain);
          if (got[r] != expected[r]) wrong.add(what, ": ", got[r], " not the bits of ", expected[r]);
        }
        for (float bad : {kNan, kInf, -kInf}) {
          for (std::size_t c = 0; c<columns; c += columns> 200 ? 97 : 1) {
            put(dtype, x.data(), ld + c, bad);
            sum(kernels, got);
            put(dtype, x.data(), ld + c, noise[ld + c]);
            const bool shows = std::isnan(bad) ? std::isnan(got[1]) : got[1] == static_cast<double>(bad);
            if (!shows || !std::isfinite(got[0]) || !std::isfinite(got[2]))
              wrong.add(kernels.name, " ", bad, " at ", c, " of ", columns, " gives ", got[1]);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: add_stored adds what storage holds, at every length and from every code") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t n : {0u, 16u, 48u, 160u, 65536u}) {
        AlignedBuffer<float> x(n);  // memory for any type
        AlignedBuffer<float> wide(n), sum = random_floats(n, 14, 4.0f);
        const AlignedBuffer<float> before = random_floats(n, 14, 4.0f);
        for (std::size_t i = 0; i < n; ++i) {
          const auto code = static_cast<std::uint16_t>(i * 40503u);
          if (dtype == Dtype::fp32) x[i] = i % 5 == 1 ? kNan : i % 7 == 2 ? -kInf : before[n - 1 - i];
          if (dtype != Dtype::fp32) std::memcpy(reinterpret_cast<std::byte*>(x.data()) + 2 * i, &code, 2);
        }
        kernels.to_fp32[index_of(dtype)](n, x.data(), wide.data());
        kernels.add_stored[index_of(dtype)](n, x.data(), sum.data());
        for (std::size_t i = 0; i < n; ++i) {
          const float want = before[i] + wide[i];
          if (!same_bits(sum[i], want))
            wrong.add(kernels.name, " ", name(dtype), " at ", i, ": ", sum[i], " not ", want);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: add and clamp element by element, NaN kept") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (std::size_t n : {0u, 16u, 48u, 160u}) {
      AlignedBuffer<float> x = random_floats(n, 12, 4.0f), sum = random_floats(n, 13, 4.0f);
      if (n > 16) x[3] = kNan, x[17] = kInf, x[18] = -kInf, x[19] = -0.0f, x[20] = 2.0f;
      const AlignedBuffer<float> before = random_floats(n, 13, 4.0f);
      kernels.add(n, x.data(), sum.data());
      for (std::size_t i = 0; i < n; ++i) {
        if (!same_bits(sum[i], before[i] + x[i])) wrong.add(kernels.name, " add at ", i, ": ", sum[i]);
      }
      for (float limit : {2.0f, 0.0f, kInf}) {
        AlignedBuffer<float> y(n);
        for (std::size_t i = 0; i < n; ++i) y[i] = x[i];
        kernels.clamp(n, limit, y.data());
        for (std::size_t i = 0; i < n; ++i) {
          const float expected = x[i] > limit ? limit : x[i] < -limit ? -limit : x[i];
          if (!(same_bits(y[i], expected) || y[i] == expected)) {
            wrong.add(kernels.name, " clamp ", x[i], " to ", limit, ": ", y[i]);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
