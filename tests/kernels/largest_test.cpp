#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/isa_loop.hpp"
#include "support/numbers.hpp"
#include "support/reference.hpp"

using namespace halfstep;
using namespace halfstep::test;

namespace {

float largest(const KernelTable& kernels, Dtype dtype, std::size_t n, const float* x) {
  AlignedBuffer<std::byte> stored(n * 4);
  kernels.from_fp32[static_cast<std::size_t>(dtype)](n, x, stored.data());
  return kernels.largest[static_cast<std::size_t>(dtype)](n, stored.data());
}

TEST_CASE("largest: the largest magnitude, wherever it is and whatever its sign") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      for (std::size_t n : {16u, 48u, 160u}) {
        for (std::size_t at = 0; at < n; ++at) {
          AlignedBuffer<float> x(n);
          for (std::size_t i = 0; i < n; ++i) x[i] = 0.25f * static_cast<float>(i % 5);
          x[at] = at % 2 == 0 ? 1536.0f : -1536.0f;
          CHECK(largest(kernels, dtype, n, x.data()) == 1536);
        }
      }
      CHECK(largest(kernels, dtype, 16, AlignedBuffer<float>(16).data()) == 0);
    }
  });
}

TEST_CASE("largest: infinity and NaN show, NaN above all") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    for (Dtype dtype : kEachDtype) {
      for (std::size_t at = 0; at < 32; ++at) {
        AlignedBuffer<float> x(32);
        x[at] = -std::numeric_limits<float>::infinity();
        CHECK(largest(kernels, dtype, 32, x.data()) == std::numeric_limits<float>::infinity());
        x[31 - at] = std::numeric_limits<float>::quiet_NaN();
        CHECK(std::isnan(largest(kernels, dtype, 32, x.data())));
      }
    }
  });
}

// fp16 keeps its subnormals, whatever the flush mode.
TEST_CASE("largest: the smallest fp16 number is not nothing") {
  for_each_runnable_isa([](const KernelTable& kernels) {
    AlignedBuffer<float> x(16);
    x[3] = -0x1p-24f;
    CHECK(largest(kernels, Dtype::fp16, 16, x.data()) == 0x1p-24f);
  });
}

}  // namespace
