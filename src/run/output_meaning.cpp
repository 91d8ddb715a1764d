#include "run/output_meaning.hpp"

namespace halfstep::internal {

OutputMeaning output_meaning(const data::Preprocessor& p, LossKind loss) {
  const bool classify = p.task() == Task::classify;
  OutputMeaning meaning = {
      .classification = classify,
      .single_logit = classify && loss == LossKind::binary_cross_entropy && p.classes().size() == 2};
  meaning.targets.clear();
  for (const data::TargetColumn& target : p.targets()) meaning.targets.push_back({target.mean, target.scale});
  return meaning;
}

OutputMeaning output_meaning(const SavedModel& saved) {
  OutputMeaning meaning = output_meaning(saved.preprocessor, saved.spec.loss);
  meaning.temperature = saved.held_out.temperature;
  return meaning;
}

}  // namespace halfstep::internal
