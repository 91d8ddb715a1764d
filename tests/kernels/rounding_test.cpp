// Rounding without a master: by chance, and to nearest with the rest kept.
#include <doctest/doctest.h>

#include "base/fp_env.hpp"
#include "support/isa_loop.hpp"
#include "support/mismatches.hpp"
#include "support/numbers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::test;

namespace {

constexpr Dtype kNarrow[] = {Dtype::bf16, Dtype::fp16};

// Neighbours of |x| in storage by integers, and the one that the random number picks: in units of 2^-16 of a step.
float expected(Dtype dtype, float x, std::uint32_t random) {
  if (!std::isfinite(x)) return x;
  const double a = std::fabs(static_cast<double>(x));
  const int least = dtype == Dtype::bf16 ? -126 : -14, digits = dtype == Dtype::bf16 ? 7 : 10;
  const double step = std::ldexp(1.0, std::max(least, a == 0 ? least : std::ilogb(a)) - digits);
  const std::uint32_t parts = dtype == Dtype::bf16 ? 0x10000 : 0x2000;  // that fp32 can tell apart in a step
  const double low = std::floor(a / step) * step;
  const double up = (a - low) / step * parts + static_cast<double>(random % parts) >= parts ? step : 0;
  return std::copysign(static_cast<float>(low + up), x);
}

float in_storage(Dtype dtype, float x) {
  const std::uint32_t word = rounded(dtype, x);
  return get(dtype, &word, 0);
}

TEST_CASE("kernels: round_stochastic follows the counter-based numbers, element by element") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kNarrow) {
      for (float size : {1.0f, 100.0f, dtype == Dtype::bf16 ? 1e-20f : 0x1p-13f}) {
        const RandomPlace at{0x123456789abcdefull, 0xfedcba987654321ull, 128 * 7};
        AlignedBuffer<float> x = random_floats(400, 50, size);
        const AlignedBuffer<float> before = random_floats(400, 50, size);
        kernels.round_stochastic[index_of(dtype)](400, x.data(), at);
        for (std::size_t i = 0; i < 400; ++i) {
          // Below fp16's least normal fp32 rounds the offset value, which can turn a tie of chance.
          const float want = expected(dtype, before[i], random16(at, at.first + i));
          if (!same_bits(x[i], want) &&
              !(dtype == Dtype::fp16 && std::fabs(before[i]) < 0x1p-14f && std::fabs(x[i] - want) <= 0x1p-24f)) {
            wrong.add(kernels.name, " ", before[i], " became ", x[i], " not ", want);
          }
          if (!same_bits(in_storage(dtype, x[i]), x[i])) wrong.add(kernels.name, " storage cannot hold ", x[i]);
        }
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: round_stochastic of a range does not depend on how it is cut, nor on the ISA") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kEachDtype) {
      AlignedBuffer<float> whole = random_floats(1040, 51, 0x1p-13f), parts = random_floats(1040, 51, 0x1p-13f);
      scalar.round_stochastic[index_of(dtype)](1040, whole.data(), {1, 2, 256});
      for (std::size_t first : {512, 0, 384, 1024, 128, 256}) {
        const std::size_t end = first == 512 ? 1024 : std::min<std::size_t>(1040, first + 128);
        kernels.round_stochastic[index_of(dtype)](end - first, parts.data() + first, {1, 2, 256 + first});
      }
      for (std::size_t i = 0; i < 1040; ++i) {
        if (!same_bits(whole[i], parts[i])) wrong.add(kernels.name, " at ", i, ": ", parts[i], " not ", whole[i]);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

TEST_CASE("kernels: round_stochastic keeps inf and NaN; the largest finite value may step to inf") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (Dtype dtype : kNarrow) {
      const float most = dtype == Dtype::bf16 ? float_of(0x7f7f0000) : 65504.0f;
      const float beyond = dtype == Dtype::bf16 ? float_of(0x7f7fff00) : 65530.0f;
      int stepped = 0;
      for (std::uint64_t stream = 0; stream < 16; ++stream) {
        AlignedBuffer<float> x(16);
        x[0] = kInf, x[1] = -kInf, x[2] = kNan, x[3] = float_of(0xffffffff), x[4] = float_of(0x7f800001);
        x[5] = most, x[6] = beyond, x[7] = -0.0f;
        kernels.round_stochastic[index_of(dtype)](16, x.data(), {1, stream, 0});
        CHECK(x[0] == kInf);
        CHECK(x[1] == -kInf);
        for (int i : {2, 3, 4}) CHECK(std::isnan(x[static_cast<std::size_t>(i)]));
        CHECK(x[5] == most);
        const float stored = in_storage(dtype, x[6]);
        CHECK((stored == most || stored == kInf));
        stepped += stored == kInf;
        CHECK(same_bits(x[7], -0.0f));
      }
      CHECK(stepped > 0);
    }
  });
}

TEST_CASE("kernels: round_stochastic is right in the mean") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    const FpEnvGuard guard;
    for (Dtype dtype : kNarrow) {
      // A quarter of the way between two neighbours, one pair of them subnormal in fp16.
      for (float low : {1.0f, 0x1p-20f}) {
        const float step = dtype == Dtype::bf16 ? low * 0x1p-7f : std::max(low * 0x1p-10f, 0x1p-24f);
        AlignedBuffer<float> x(4096);
        for (float& v : x) v = low + 0.25f * step;
        kernels.round_stochastic[index_of(dtype)](4096, x.data(), {3, 4, 0});
        int up = 0;
        for (float v : x) up += v > low;
        CHECK(up > 1024 - 120);  // four standard deviations
        CHECK(up < 1024 + 120);
      }
    }
  });
}

TEST_CASE("kernels: split rounds to nearest and keeps what that lost") {
  const KernelTable& scalar = *isas().front().table;
  for_each_runnable_isa([&](const KernelTable& kernels) {
    const FpEnvGuard guard;
    Mismatches wrong;
    for (Dtype dtype : kNarrow) {
      AlignedBuffer<float> x = random_floats(256, 52, 100.0f), again = random_floats(256, 52, 100.0f);
      const AlignedBuffer<float> before = random_floats(256, 52, 100.0f);
      x[7] = again[7] = kInf, x[8] = again[8] = 3.4e38f, x[9] = again[9] = kNan;
      AlignedBuffer<std::uint16_t> rest(256), rest_again(256);
      kernels.split[index_of(dtype)](256, x.data(), rest.data());
      scalar.split[index_of(dtype)](256, again.data(), rest_again.data());
      for (std::size_t i = 0; i < 256; ++i) {
        const float lost = to_fp32(Bf16{rest[i]});
        if (!same_bits(x[i], again[i]) || rest[i] != rest_again[i]) wrong.add(kernels.name, " differs at ", i);
        if (i >= 7 && i <= 9) {
          if (lost != 0 || std::isfinite(x[i])) wrong.add(kernels.name, " at ", i, ": ", x[i], " and ", lost);
          continue;
        }
        if (!same_bits(x[i], in_storage(dtype, before[i]))) wrong.add(kernels.name, " at ", i, ": ", x[i]);
        const float error = std::fabs(x[i] + lost - before[i]);
        if (!(error <= std::fabs(before[i]) * 0x1p-16f)) wrong.add(kernels.name, " lost ", error, " of ", before[i]);
      }
    }
    CHECK_MESSAGE(wrong.none(), wrong.text());
  });
}

}  // namespace
