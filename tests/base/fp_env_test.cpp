#include "base/fp_env.hpp"

#include <doctest/doctest.h>

#include <cfenv>

using namespace halfstep;
using namespace halfstep::internal;

namespace {

TEST_CASE("fp_env: the guard rounds to nearest and flushes, then restores what was there") {
  const FpEnvGuard::Word original = FpEnvGuard::read();
  std::fesetround(FE_UPWARD);
  const FpEnvGuard::Word before = FpEnvGuard::read();
  volatile float one = 1.0f, tiny = 1e-10f, subnormal = 1e-40f;
  volatile float sum, product;
  {
    const FpEnvGuard guard;
    sum = one + tiny;
    product = subnormal * 1e10f;
  }
  CHECK(FpEnvGuard::read() == before);
  CHECK(sum == 1.0f);
  CHECK(product == 0.0f);
  sum = one + tiny;
  std::fesetround(FE_TONEAREST);  // the x87 unit has a rounding mode of its own, which `original` does not hold
  FpEnvGuard::write(original);
  CHECK(sum > 1.0f);
}

}  // namespace
