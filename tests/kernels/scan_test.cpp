// The one read of a gradient: finiteness at every position, the sum's exactness and its one shape.
#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr std::uint32_t kInfBits = 0x7f800000;

// Elements in storage, one element into the buffer, so that loads are not aligned to anything but the element.
struct Stored {
  Dtype dtype;
  std::size_t n;
  AlignedBuffer<std::byte> memory;

  Stored(Dtype type, std::size_t count) : dtype(type), n(count), memory((count + 2) * size_of(type)) {
    for (std::size_t i = 0; i < count + 2; ++i) put(type, memory.data(), i, kNan);  // nobody may look there
  }
  void set(std::size_t i, float value) { put(dtype, memory.data(), i + 1, value); }
  float at(std::size_t i) const { return get(dtype, memory.data(), i + 1); }
  GradientScan scan(const KernelTable& kernels, float limit = kInf) const {
    return kernels.scan[index_of(dtype)](n, memory.data() + size_of(dtype), limit);
  }
};

Stored random_stored(Dtype dtype, std::size_t n, float size) {
  const AlignedBuffer<float> values = random_floats(n, 40, size);
  Stored s(dtype, n);
  for (std::size_t i = 0; i < n; ++i) s.set(i, values[i]);
  return s;
}

TEST_CASE("kernels: scan shows NaN and inf in every lane and tail, clipped or not") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t n = 1; n <= 67; ++n) {
        Stored s = random_stored(dtype, n, 2.0f);
        for (float limit : {kInf, 1.0f}) {
          if (s.scan(kernels, limit).largest >= kInfBits) wrong.add(kernels.name, " false alarm at ", n);
          for (std::size_t i = 0; i < n; ++i) {
            const float before = s.at(i);
            for (float bad : {kNan, kInf, -kInf}) {
              s.set(i, bad);
              const GradientScan got = s.scan(kernels, limit);
              if (got.largest < kInfBits || (got.largest > kInfBits) != std::isnan(bad)) {
                wrong.add(kernels.name, " dtype ", index_of(dtype), " n ", n, " at ", i, ": ", got.largest);
              }
              if (std::isnan(bad) != std::isnan(got.squares)) wrong.add(kernels.name, " squares ", got.squares);
            }
            s.set(i, before);
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: scan sums squares in fp64, with the same bits on every ISA") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      for (std::size_t n : {0, 1, 15, 16, 17, 31, 32, 33, 48, 1000, 4099}) {
        for (float limit : {kInf, 0.25f}) {
          const Stored s = random_stored(dtype, n, 1.0f);
          double sum = 0;
          float largest = 0;
          for (std::size_t i = 0; i < n; ++i) {
            const double kept = std::fmin(std::fabs(s.at(i)), limit);
            sum += kept * kept;
            largest = std::fmax(largest, std::fabs(s.at(i)));
          }
          const GradientScan got = s.scan(kernels, limit), plain = s.scan(scalar, limit);
          if (!(std::fabs(got.squares - sum) <= 1e-12 * sum))
            wrong.add(kernels.name, " n ", n, ": ", got.squares, " not ", sum);
          if (got.largest != bits_of(largest)) wrong.add(kernels.name, " n ", n, " largest ", float_of(got.largest));
          if (std::bit_cast<std::uint64_t>(got.squares) != std::bit_cast<std::uint64_t>(plain.squares)) {
            wrong.add(kernels.name, " n ", n, " is not the scalar ISA's sum");
          }
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: scan neither overflows nor vanishes") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (float size : {1e20f, 3e38f, 1e-20f, 1.2e-38f}) {
      Stored s(Dtype::fp32, 100);
      for (std::size_t i = 0; i < 100; ++i) s.set(i, size);
      const double expected = 100.0 * static_cast<double>(size) * static_cast<double>(size);
      CHECK(s.scan(kernels).squares == doctest::Approx(expected).epsilon(1e-14).scale(0));
    }
    Stored s(Dtype::fp16, 100);  // 300 squared is beyond fp16
    for (std::size_t i = 0; i < 100; ++i) s.set(i, 300);
    CHECK(s.scan(kernels).squares == 9e6);
  });
}

}  // namespace
