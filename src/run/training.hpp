// The training loop: epochs of steps over prepared examples, with metrics and an honest count of what was skipped.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "data/examples.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/model_spec.hpp"
#include "run/machine.hpp"
#include "run/metrics_log.hpp"
#include "train/batcher.hpp"
#include "train/inference.hpp"
#include "train/last_good.hpp"
#include "train/ledger.hpp"
#include "train/memory_plan.hpp"
#include "train/schedule.hpp"
#include "train/step.hpp"

namespace halfstep {

class Trainer {
 public:
  // Throws Error(out_of_memory) before it takes more than there is.
  Trainer(const Options& options, const ModelSpec& spec, const OutputMeaning& meaning, Machine& machine,
          const data::Examples& train, const data::Examples* eval);

  Network& model() { return model_; }
  // What a run takes, but for the program itself.
  std::vector<MemoryPart> memory() const;
  std::int64_t planned_steps() const { return schedule_.steps; }

  // Throws Error(diverged), see verdict.hpp.
  TrainResult run(const TrainObserver& observer);
  // After that: brings the model back to its last good weights. The applied steps that led to them; 0: there are none,
  // and the model is unusable.
  std::int64_t restore_last_good();
  GradScalerState scaler_state() const { return scaler_.state(); }

 private:
  StepReport one_step(std::span<const std::uint32_t> rows);
  // Ledger, metrics, last good weights; throws when the run must end.
  void account(const StepReport& report, const TrainObserver& observer);
  bool meter_due() const;
  void tell_meter(const TrainObserver& observer);
  void finish(bool stopped);  // throws when the weights are no model
  bool run_epoch(std::int64_t epoch, const TrainObserver& observer, TrainResult& result);

  const Options& options_;
  ModelSpec spec_;
  OutputMeaning meaning_;
  Machine& machine_;
  const data::Examples& train_;
  const data::Examples* eval_;
  RunShape shape_;
  Network model_;
  GemmContext context_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Optimizer> optimizer_;
  GradScaler scaler_;
  Clock clock_;
  TrainStep step_;
  LastGood last_good_;
  std::optional<StepMeter> meter_;
  Batcher batcher_;
  Schedule schedule_;
  MetricsLog log_;
  Ledger ledger_;
  StepCause last_cause_ = StepCause::none;  // of the last step, when it was skipped
};

}  // namespace halfstep
