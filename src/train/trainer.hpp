// Trains a model step by step: on batches that the caller holds, or on the rows of a set in the order of its epochs.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "data/examples.hpp"
#include "halfstep/ledger.hpp"
#include "halfstep/memory_part.hpp"
#include "halfstep/meters.hpp"
#include "halfstep/metrics.hpp"
#include "train/batcher.hpp"
#include "train/clock.hpp"
#include "train/inference.hpp"
#include "train/last_good.hpp"
#include "train/ledger.hpp"
#include "train/recent_steps.hpp"
#include "train/step.hpp"
#include "train/trainer_config.hpp"

namespace halfstep::internal {

// Rows that the caller holds.
struct BatchView {
  std::span<const float> x;              // rows x inputs
  std::span<const std::int32_t> labels;  // of each row, from 0: for the two cross-entropies
  std::span<const float> values;         // rows x outputs: for the others
};

// A step that changed no weight, or left layers without a gradient, while its rows are at hand.
struct WithheldStep {
  const StepExamples& examples;
  std::span<const std::uint32_t> rows;  // of the set, in the step's order; empty: they are the caller's
  const StepRecord& record;
  Clock clock;                           // before the step
  std::size_t part;                      // that went non-finite
  std::vector<std::string> silent = {};  // weights without a gradient, of a step that was applied
};

class StepTrainer {
 public:
  // `kernels`, `executor` and `set` must outlive it. `set` has config.rows rows; null: all batches are the caller's.
  // Throws Error(invalid_argument) where there is no such model or the set does not fit it, and Error(out_of_memory).
  StepTrainer(const KernelTable& kernels, Executor& executor, const TrainerConfig& config,
              const data::Examples* set = nullptr);
  StepTrainer(const StepTrainer&) = delete;
  StepTrainer& operator=(const StepTrainer&) = delete;

  // One step on any number of rows, with BatchNorm config.batch at a time. Throws Error(invalid_argument) where the
  // batch does not fit the model. A step whose gradients are not finite changes no weight, and the record says why.
  StepRecord step(const BatchView& batch);

  // One step on the next rows of the set: those of an epoch in an order of its own, in steps of config.batch x
  // config.accumulate rows, of which the last may have fewer. Throws Error(state) without a set.
  StepRecord step();
  std::size_t next_rows() const;  // of that step
  // Whether it has made the steps of its schedule. More can follow.
  bool done() const { return clock_.attempted >= config_.schedule.steps; }

  // The model's quality on any examples.
  Metrics evaluate(const data::Examples& examples, const OutputMeaning& meaning, MoreMetrics more);

  // The model as the last step left it.
  Network& model();
  GemmContext& context() { return context_; }
  const TrainerConfig& config() const { return config_; }
  const Clock& clock() const { return clock_; }
  const Ledger& ledger() const { return ledger_; }
  const GradScaler& scaler() const { return scaler_; }
  const RecentSteps& recent() const { return recent_; }
  void visit_recent(StateVisitor& visitor) { recent_.visit_state(visitor); }
  // Called within each step that is withheld, after it was recorded; and within one that left layers without a
  // gradient, of those that are looked at, the 16th, the 32nd and so on. It may read the model, and change nothing.
  void on_withheld(std::function<void(const WithheldStep&)> call) { on_withheld_ = std::move(call); }

  // Whether the last step read the meters; and their last reading.
  bool metered() const { return metered_; }
  const MeterReport& meter() const;

  // What it has allocated, and what saving its model will allocate. `examples`: bytes of all sets.
  std::vector<MemoryPart> memory(std::size_t examples) const;

  // A record with the cause, where a weight is not finite: the last update may have been the bad one, and no forward
  // pass has seen it yet.
  std::optional<StepRecord> check_weights();
  // Brings the model back to weights that were good. The applied steps that led to them; 0: there are none, and the
  // model is unusable.
  std::int64_t restore_last_good();

  bool has_last_good() const { return last_good_.any() && good_place_.attempted > 0; }
  // Begins with the weights that another, of the same model and set, kept as good, where that then was in the set. The
  // optimizer has seen no step. `other` must have some.
  void begin_at_last_good_of(const StepTrainer& other);

  // Keeps the weights as they are now as the best; brings the model back to the best that were kept: the applied steps
  // that led to them, 0 where none were. With config.keeps_best only.
  void keep_best();
  std::int64_t restore_best();
  std::int64_t best_applied() const { return best_ ? best_->applied() : 0; }
  std::vector<NamedTensor> best_tensors();  // as restore_best would have them, which they are not made to be

  // Adds the weights as they are now to their average, with this share of it. With config.averages only.
  void add_to_average(float share);
  std::int64_t averaged() const { return average_ ? average_->count() : 0; }  // weights so far
  // The model gets the average in place of the weights, which are kept; a second call brings them back.
  void exchange_average();

  // The weights of the first step and an optimizer that has seen none; the clock goes on.
  void begin_again();
  void set_loss_scale(float scale) { scaler_.set_scale(scale); }

  // What the schedule's rate is multiplied by from now on; and what came of it for an applied step, from 0.
  void set_rate_factor(double factor) { rate_factor_ = factor; }
  double rate_factor() const { return rate_factor_; }
  double rate_at(std::int64_t applied) const { return config_.schedule.at(applied) * rate_factor_; }

  // All that later steps depend on. loaded() follows a load.
  void visit_state(StateVisitor& visitor);
  void visit_training(StateVisitor& visitor);  // without the meters, which no step depends on
  void visit_learned(StateVisitor& visitor);   // of that, what applied steps have made of weights and optimizer
  void loaded();

 private:
  StepRecord run_step(const StepExamples& examples, std::span<const std::uint32_t> rows);
  StepRecord record_of(const StepReport& report, double lr) const;
  void keep_if_good(const StepRecord& record);
  void advance(Clock& clock, std::size_t rows) const;
  bool looks_for_silence() const;
  void check(const BatchView& batch) const;
  void check_loaded(const StateVisitor& visitor) const;

  TrainerConfig config_;
  EpochPlan plan_;
  RunShape shape_;
  Network model_;
  GemmContext context_;
  std::unique_ptr<Loss> loss_;
  std::unique_ptr<Optimizer> optimizer_;
  GradScaler scaler_;
  Clock clock_;
  TrainStep step_;
  LastGood last_good_;
  Clock good_place_;  // that they were kept at, since the run began or went on
  std::optional<WeightCopy> best_;
  std::optional<WeightAverage> average_;
  double rate_factor_ = 1;
  std::optional<StepMeter> meter_;
  bool metered_ = false;
  RowLoader loader_;                  // of the caller's batches
  std::optional<Batcher> batcher_;    // of the set
  std::vector<std::uint32_t> order_;  // of the rows of the set, in the epoch that it is of
  std::int64_t order_epoch_ = -1;
  Ledger ledger_;
  RecentSteps recent_;
  StepCause last_cause_ = StepCause::none;  // of the last step, when it was skipped
  std::function<void(const WithheldStep&)> on_withheld_;
};

}  // namespace halfstep::internal
