// How the numbers of one row of a step stand beside those of the others.
#pragma once
#include <cstddef>
#include <cstdint>

#include "doctor/capsule.hpp"

namespace halfstep::internal {

// The largest number of a row in magnitude, and the median over all rows of theirs.
struct RowExtreme {
  std::size_t column = 0;
  double value = 0;  // with its sign; a NaN counts as the largest
  double usual = 0;
  // Not finite, or so far beyond the others that they cannot be of one kind.
  bool stands_out() const;
};

RowExtreme input_extreme(const Capsule& capsule, std::size_t row);
// Of values: measured from the median of each output. A capsule of labels: a RowExtreme that does not stand out.
RowExtreme target_extreme(const Capsule& capsule, std::size_t row);

}  // namespace halfstep::internal
