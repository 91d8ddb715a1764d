// Whether several networks can be trained on different parts of the rows.
#pragma once
#include "halfstep/options.hpp"

namespace halfstep::internal {

// What a bag of networks does not go with: the parameter and why; null where all is well. `options.bag` may be 1.
struct BagConflict {
  const char* parameter;
  const char* why;
};
const BagConflict* conflict_with_bag(const Options& options);

// Throws Error(invalid_argument) where options.bag does not go with the others.
void check_bag(const Options& options);

}  // namespace halfstep::internal
