// What a run of training says while it goes on.
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "cli/output.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/metrics.hpp"

namespace halfstep::cli {

// Lines of epochs, at most about one a second unless `verbose`: a run of 200 epochs in no time says two of them. The
// first epoch and the last are always said. In between, on a terminal, a line that moves.
class Progress {
 public:
  // `narrator` must outlive it.
  Progress(Narrator& narrator, const Options& options, bool verbose);
  ~Progress();  // says the last epoch, if that is still to be said
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void epoch(const EpochReport& report);
  void within_epoch(const ProgressReport& report);
  void checkpoint(const CheckpointReport& report);
  void incident(const Incident& incident);
  void warning(const std::string& text);

 private:
  using Time = std::chrono::steady_clock;

  void say_kept();

  Narrator& narrator_;
  MetricKind metric_;
  bool verbose_;
  std::optional<Time::time_point> said_;  // the last line of an epoch
  std::optional<EpochReport> kept_;       // the last epoch, not said yet
};

}  // namespace halfstep::cli
