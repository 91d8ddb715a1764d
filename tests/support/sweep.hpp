// Inputs for functions of one float: every exponent evenly and, more densely, the range where activations bend.
#pragma once
#include "support/effort.hpp"
#include "support/numbers.hpp"

namespace halfstep::test {

using namespace internal;

inline AlignedBuffer<float> sweep() {
  const Rng rng(5, 5);
  const std::size_t per_exponent = sized(1000), bend = sized(600000);
  AlignedBuffer<float> x(2 * 254 * per_exponent + bend);
  std::size_t n = 0;
  for (std::uint32_t exponent = 1; exponent < 255; ++exponent) {
    for (std::size_t i = 0; i < per_exponent; ++i, n += 2) {
      x[n] = float_of(exponent << 23 | rng.u32(n) >> 9);
      x[n + 1] = -x[n];
    }
  }
  for (std::size_t i = 0; i < bend; ++i) x[n + i] = (2.0f * rng.uniform(n + i) - 1.0f) * (i % 4 == 0 ? 100.0f : 12.0f);
  return x;
}

}  // namespace halfstep::test
