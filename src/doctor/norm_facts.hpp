// Whether a norm in front of a gradient divides by next to nothing.
#pragma once
#include <optional>
#include <string>

#include "doctor/rerun.hpp"
#include "halfstep/incident.hpp"

namespace halfstep::internal {

struct NormFacts {
  std::string what;      // "row 3 of layers.0's pre-activations"
  double deviation = 0;  // of these values
  double factor = 0;     // that gradients through the norm are multiplied by
};

// Where the gradient at incident.row and column of block `block` went through a norm without whose factor it would
// have fitted; else none.
std::optional<NormFacts> norm_facts(Rerun& rerun, const Incident& incident, std::size_t block);

}  // namespace halfstep::internal
