// How much each row of a step adds to its gradient.
#pragma once
#include <vector>

#include "doctor/rerun.hpp"
#include "halfstep/diagnosis.hpp"

namespace halfstep::internal {

// Of the rows of the part that the network holds after a run, the `most` largest, largest first. What is not finite
// counts as infinite.
std::vector<RowGradient> row_gradients(Rerun& rerun, std::size_t most);

}  // namespace halfstep::internal
