// Tells an observer when a training step passes from one stage to the next. Without one it costs a comparison for each
// stage of each layer.
#pragma once
#include "halfstep/step_stage.hpp"

namespace halfstep::internal {

class StageWatch {
 public:
  virtual void enter(StepStage stage) = 0;

 protected:
  ~StageWatch() = default;
};

inline void enter(StageWatch* watch, StepStage stage) {
  if (watch != nullptr) watch->enter(stage);
}

}  // namespace halfstep::internal
