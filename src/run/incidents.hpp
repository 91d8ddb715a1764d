// The incidents of a run: explained in words of its data, told as they come, the last one's step kept in a file.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "doctor/watch.hpp"
#include "halfstep/diagnosis.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "run/model_file.hpp"
#include "run/prepare.hpp"

namespace halfstep::internal {

class Incidents {
 public:
  // All of these must outlive it. `model`: what a capsule says of the run.
  Incidents(const Options& options, StepTrainer& trainer, const Prepared& prepared, const SavedModel& model,
            const TrainObserver& observer);

  // In order; of the same cause and tensor only the first.
  const std::vector<Incident>& list() const { return list_; }
  // What became of files that could not be written.
  const std::vector<std::string>& warnings() const { return warnings_; }
  std::int64_t missed() const { return watch_.missed(); }  // skipped steps that memory did not suffice to explain
  // What would have saved that step; null: it was not looked for, as where the data or the rate is to blame.
  const Bisection* cure(std::int64_t step) const { return cure_ && cured_step_ == step ? &*cure_ : nullptr; }
  // After another trainer was built in the place of the run's.
  void follow() { watch_.follow(); }
  // Of weights that were found bad after the last step.
  void add_weights(const StepRecord& record);
  const Incident* of_step(std::int64_t step) const;  // null: it was not explained
  // The parts of an error about `record` with what the doctor found out.
  ErrorParts with_reason(ErrorParts parts, const StepRecord& record) const;
  // "3 steps were skipped for rows of the data: line 17, line 20"; empty: none was.
  std::string rows_to_blame() const;

 private:
  void see(Incident& incident, Capsule& capsule);
  bool keep(const Capsule& capsule);  // false: the file could not be written
  bool lost(const std::string& why);  // false
  void find_cure(const Incident& incident, const Capsule& capsule);
  std::string try_steps_before(const Incident& incident);
  void tell(const Incident& incident);
  const Incident* find(const StepRecord& record) const;

  const Options& options_;
  StepTrainer& trainer_;
  const SavedModel& model_;
  const TrainObserver& observer_;
  const data::Examples& train_;
  std::uint64_t room_;  // memory that the run does not plan to use
  bool tried_ = false;
  std::vector<Incident> list_;
  std::vector<std::string> warnings_;
  std::optional<Bisection> cure_;  // of the step cured_step_
  std::int64_t cured_step_ = 0;
  IncidentWatch watch_;
};

}  // namespace halfstep::internal
