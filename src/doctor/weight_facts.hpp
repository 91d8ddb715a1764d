// Whether the weights of a step are larger than a fresh layer's, and whether training made them so.
#pragma once
#include <string>

#include "doctor/rerun.hpp"

namespace halfstep::internal {

struct WeightFacts {
  std::string tensor;       // the weights that are largest beside those of a fresh layer
  double now = 0;           // root of their mean square
  double fresh = 0;         // of the same layer, before training
  double reach = 0;         // the most that the updates so far can have made of it
  bool grown() const;       // far beyond a fresh layer's
  bool by_updates() const;  // and the updates could do that
};

// Of all weights up to and including block `block`.
WeightFacts weight_facts(Rerun& rerun, std::size_t block);

// "at a learning rate of 10000 the loss of the steps before went 2.3, 8e+09 and the norm of their gradients 1.2, 4e+08"
std::string growth_text(const std::vector<StepFigures>& recent, double lr);
// Flags that shrink the updates of such a run.
std::string smaller_rate_text(OptimizerKind optimizer, double lr, double clip_norm);

// Whether loss or gradients of the recent steps rose manifold before this one.
bool has_risen(const std::vector<StepFigures>& recent);

}  // namespace halfstep::internal
