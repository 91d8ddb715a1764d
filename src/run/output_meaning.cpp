#include "run/output_meaning.hpp"

namespace halfstep::internal {

OutputMeaning output_meaning(const data::Preprocessor& p, LossKind loss) {
  const bool classify = p.task() == Task::classify;
  return {.classification = classify,
          .single_logit = classify && loss == LossKind::binary_cross_entropy && p.classes().size() == 2,
          .target_mean = p.target_mean(),
          .target_scale = p.target_scale()};
}

}  // namespace halfstep::internal
