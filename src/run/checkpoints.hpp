// When a run saves checkpoints, and what it says of them.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/options.hpp"
#include "run/checkpoint_folder.hpp"
#include "run/checkpoint_writer.hpp"

namespace halfstep::internal {

class Checkpoints {
 public:
  // Into `folder`, which must outlive it. `header`: what all of the run's have, beside their states.
  Checkpoints(const Options& options, const CheckpointFolder& folder, Checkpoint header);

  // Whether one is to be saved after so many attempted steps: by their number, or by the time since the last. Not while
  // one is being written.
  bool due(std::int64_t attempted) const;
  // What differs from one to the next.
  struct Now {
    std::int64_t attempted = 0, applied = 0, epoch = 0;
    std::int64_t best_applied = 0;  // steps that led to `best`
    GradScalerState scaler;
    State state;
    std::optional<std::vector<NamedTensor>> best;  // weights, where they are others than the last time
  };
  void save(Now now);
  // Of those that are saved from now on.
  void set_layers(const std::vector<Dtype>& layers) { header_.model.spec.layer_precision = layers; }
  void wait() { writer_.wait(); }

  // Says through the observer what was saved and what was not since the last call.
  void tell(const TrainObserver& observer);
  // Why the last one is not there; empty: it is.
  const std::string& failure() const { return failure_; }
  // With --on-save-error stop: whether one could not be saved, which ends the run.
  bool ends_run() const { return lost_.has_value(); }
  // The error that it then ends with. `kept`: what of its model, in words.
  Error error(const std::string& kept) const;
  std::string last_path() const;  // of the newest that is there; empty: none

 private:
  using Time = std::chrono::steady_clock;

  Checkpoint header_;
  const CheckpointFolder& folder_;
  std::int64_t every_;
  double seconds_;
  bool stops_;  // at the first that cannot be saved, which is lost_
  std::optional<CheckpointWriter::Outcome> lost_;
  Time::time_point last_ = Time::now();
  std::string failure_;
  CheckpointWriter writer_;  // last: its thread uses the others
};

}  // namespace halfstep::internal
