// A run for those who watch it: epochs of steps, with metrics, warnings, and an end where training cannot go on.
#pragma once
#include <chrono>
#include <cstddef>
#include <optional>

#include "data/examples.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "run/averaging.hpp"
#include "run/checkpoints.hpp"
#include "run/early_stop.hpp"
#include "run/event_file.hpp"
#include "run/held_out_facts.hpp"
#include "run/incidents.hpp"
#include "run/metrics_log.hpp"
#include "run/recovery.hpp"
#include "run/report_recorder.hpp"
#include "train/inference.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

// What not every run has; null where it has not.
struct TrainingExtras {
  ReportRecorder* recorder = nullptr;  // of a run that is to have a report
  Checkpoints* checkpoints = nullptr;
  Incidents* incidents = nullptr;
  Recovery* recovery = nullptr;
  const MetricsLog::WentOn* went_on = nullptr;  // of a run that goes on with a checkpoint
  std::int64_t epochs = 0;                      // after which it ends, wherever its schedule is; 0: with that
};

class Training {
 public:
  // All of these must outlive it. `validation` or, without, `test` is measured after each epoch, both at the end; null:
  // there is none. Opens options.metrics: throws Error(io), or Error(invalid_argument) where options.metric does not
  // suit the task.
  Training(const Options& options, StepTrainer& trainer, const OutputMeaning& meaning, const data::Examples* validation,
           const data::Examples* test, const TrainingExtras& beside = {});

  // Throws Error(diverged), see verdict.hpp, and whatever the observer throws. The trainer then holds the model as the
  // last step left it.
  TrainResult run(const TrainObserver& observer);
  // All that goes on with the run, between two steps. loaded() follows a load, before run().
  void visit_state(StateVisitor& visitor);
  void loaded();
  // Applied steps that led to the model.
  std::int64_t applied() const { return applied_; }
  // What rows held out say about the model; and how its outputs are read, by it.
  const HeldOutFacts& held_out_facts() const { return facts_; }
  const OutputMeaning& meaning() const { return meaning_; }

 private:
  // Sums over the steps of an epoch.
  struct Sums {
    double loss = 0;  // of applied steps, times rows
    std::size_t applied_rows = 0;
    std::int64_t skipped = 0;
    double grad_norm = 0;  // of the last step

    void visit_state(StateVisitor& visitor) {
      visitor.number("loss", loss);
      visitor.value("applied_rows", applied_rows);
      visitor.value("skipped", skipped);
      visitor.number("grad_norm", grad_norm);
    }
  };
  void run_epoch();
  void make_steps();
  StepRecord step();
  void save_checkpoint();
  void save_if_due(bool at_once);
  void tell_checkpoints();
  bool must_stop();
  bool done() const { return trainer_.done() || (beside_.epochs > 0 && trainer_.clock().epoch >= beside_.epochs); }
  void tell_progress(double loss);
  std::int64_t planned_epochs() const;
  std::int64_t planned_steps() const;
  double seconds_left() const;
  void tell_step(const StepRecord& record);
  [[noreturn]] void diverge(const ErrorParts& parts, const StepRecord& record) const;
  // For those who asked; a report has readings of its own.
  bool reads_meters() const { return options_.meter_every > 0; }
  EpochReport report_of(std::int64_t epoch, double samples_per_s);
  void see_epoch(EpochReport& report);
  void finish();
  void keep_best();
  void learn_from_held_out();
  void measure_model();
  void add_summary();
  void add_incidents(const Incidents& incidents);
  void set_rate();

  const Options& options_;
  StepTrainer& trainer_;
  OutputMeaning meaning_;
  const data::Examples *validation_, *test_;
  MetricKind metric_;
  EarlyStop early_stop_;
  std::optional<Plateau> plateau_;
  Averaging averaging_;
  MetricsLog log_;
  EventFile events_;
  TrainingExtras beside_;
  const TrainObserver* observer_ = nullptr;
  TrainResult result_;
  HeldOutFacts facts_;
  std::int64_t applied_ = 0;
  StepRecord last_skipped_;
  Sums sums_;                    // of the epoch
  std::int64_t begun_at_ = 0;    // attempted steps when the run began or went on
  std::size_t rows_ = 0;         // of all steps since
  std::int64_t saved_best_ = 0;  // epoch of the best weights that the last checkpoint came with
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_progress_;
};

}  // namespace halfstep::internal
