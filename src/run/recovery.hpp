// What a run does about a step that no loss scale can save: options.on_nonfinite.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/state.hpp"
#include "data/examples.hpp"
#include "halfstep/jobs.hpp"
#include "run/incidents.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

class Recovery {
 public:
  static constexpr std::int64_t kEvery = 64;  // applied steps between two looks at whether the state is worth keeping
  static constexpr std::size_t kMost = 16;    // times that a run is mended
  static constexpr double kShrinks = 0.1;     // the learning rate
  static constexpr std::size_t kMostLeftOut = 64;  // rows

  // Raises the precision of these layers from the next step on. False: memory does not suffice, and nothing changed.
  using Lift = std::function<bool(const std::vector<LayerPrecision>&)>;

  // All of these must outlive it. `train` is the set that the trainer goes through: rows are taken out of it.
  Recovery(const Options& options, StepTrainer& trainer, data::Examples& train, Incidents& incidents,
           const TrainObserver& observer, Lift lift);

  // After each step. True: the step was withheld, and what withheld it was mended. Throws Error(diverged) where the run
  // is to stop, or cannot be mended.
  bool after(const StepRecord& record);
  // What was done, in words.
  const std::vector<std::string>& actions() const { return actions_; }
  double rate_factor() const { return rate_factor_; }  // of the schedule

  // Between steps. loaded() follows a load.
  void visit_state(StateVisitor& visitor);
  void loaded();

 private:
  // What a step changes in the model, as opposed to what it counts.
  struct Learned {
    StepTrainer& trainer;
    void visit_state(StateVisitor& visitor) { trainer.visit_learned(visitor); }
  };
  void visit_good(StateVisitor& visitor);
  void look(const StepRecord& record);
  void mend(const StepRecord& record);
  bool leave_out(const StepRecord& record, const Incident& incident);
  bool lift(const StepRecord& record);
  // Else what a layer is stored in is all there is of its weights.
  bool has_masters() const { return trainer_.config().optimizer.master == MasterKind::fp32; }
  void go_back();
  void did(const StepRecord& record, const std::string& what);
  [[noreturn]] void stop(const StepRecord& record, const std::string& what) const;

  const Options& options_;
  StepTrainer& trainer_;
  data::Examples& train_;
  Incidents& incidents_;
  const TrainObserver& observer_;
  Lift lift_;
  State good_;
  std::int64_t good_applied_ = 0;  // steps that led to it
  std::int64_t seen_ = 0;          // applied steps since it was looked at
  double first_loss_ = 0, sum_ = 0;
  bool any_ = false;
  double rate_factor_ = 1;
  std::vector<std::int64_t> left_out_;  // rows of the set
  std::vector<std::string> actions_;
};

}  // namespace halfstep::internal
