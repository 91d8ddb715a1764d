// Finds where in a step the first value that is not finite was made, and what it was before it was rounded.
#pragma once
#include <string>
#include <vector>

#include "doctor/rerun.hpp"
#include "halfstep/incident.hpp"

namespace halfstep::internal {

// What the numbers of a network stand for in the data; each may be empty.
struct DataWords {
  struct Column {
    std::string name;
    double mean = 0, scale = 0;  // of its training rows; scale 0: constant, or not known
  };
  bool standardised = false;  // an input is (raw - mean) / scale; else it is raw
  std::vector<Column> inputs;
  std::vector<Column> targets;  // standardised always, where they are values
};

// The incident of the capsule's step: `report` is what rerun.run() has just given. Its row, place and values are those
// of the first that is not finite; reason, why and advice follow from it (blame.hpp).
// The first weight that is not finite as the products read it.
void locate_in_weight(const Parameter& parameter, Incident& incident);

Incident trace(Rerun& rerun, const StepReport& report);

}  // namespace halfstep::internal
