// How outputs are read.
#include "metrics/output_meaning.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace halfstep::internal {

TEST_CASE("an output with an inf or NaN is not finite") {
  const float inf = std::numeric_limits<float>::infinity();
  const float logits[] = {1, -3e38f, 0, inf};
  CHECK(is_finite_output(logits, 3));
  CHECK_FALSE(is_finite_output(logits, 4));
  for (const float bad : {-inf, std::nanf("")}) CHECK_FALSE(is_finite_output(&bad, 1));
}

}  // namespace halfstep::internal
