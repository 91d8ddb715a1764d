#include "run/training.hpp"

#include <algorithm>
#include <limits>

#include "halfstep/error.hpp"
#include "run/meter_json.hpp"
#include "run/metrics_lines.hpp"
#include "run/trainer_options.hpp"
#include "run/verdict.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

using Time = std::chrono::steady_clock;

// Of several that would do, the loss is what training minimises; but a model that will be calibrated is judged as such.
MetricKind metric_for(const Options& options, const OutputMeaning& meaning, bool has_held_out) {
  const bool calibrated = has_held_out && meaning.classification && learns_from_held_out(options, meaning);
  const MetricKind automatic = calibrated ? MetricKind::calibrated_loss : MetricKind::loss;
  const MetricKind kind = from_name<MetricKind>(options.metric).value_or(automatic);
  if (applies_to(kind, meaning.classification)) return kind;
  throw Error(Status::invalid_argument,
              {.what = "this metric does not suit the data",
               .where = "--metric " + std::string(name(kind)),
               .why = meaning.classification ? "the targets are classes" : "the targets are values",
               .kept = {},
               .hint = meaning.classification ? "--metric accuracy" : "--metric rmse"});
}

double seconds_since(Time::time_point start) { return std::chrono::duration<double>(Time::now() - start).count(); }

}  // namespace

Training::Training(const Options& options, StepTrainer& trainer, const OutputMeaning& meaning,
                   const data::Examples* validation, const data::Examples* test, const TrainingExtras& beside)
    : options_(options),
      trainer_(trainer),
      meaning_(meaning),
      validation_(validation),
      test_(test),
      metric_(metric_for(options, meaning, validation != nullptr)),
      early_stop_(metric_, options.early_stop),
      averaging_(options, trainer),
      log_(options.metrics, beside.went_on),
      events_(options.tensorboard),
      beside_(beside) {
  check_calibration(options, meaning, validation != nullptr);
  if (trainer.config().schedule.kind == ScheduleKind::plateau) {
    plateau_.emplace(options.decay_patience, options.decay);
  }
}

TrainResult Training::run(const TrainObserver& observer) {
  observer_ = &observer;
  const auto warn = [&](const std::string& warning) {
    result_.warnings.push_back(warning);
    if (observer.on_warning) observer.on_warning(warning);
  };
  log_.on_lost(warn);
  events_.on_lost(warn);
  start_ = Time::now();
  begun_at_ = trainer_.clock().attempted;
  if (early_stop_.over()) result_.ended = "early stop";  // it went on with a run that had ended
  while (result_.ended.empty() && !done()) run_epoch();
  if (beside_.checkpoints) beside_.checkpoints->wait();
  tell_checkpoints();
  log_.close();
  events_.close();
  keep_best();
  finish();
  learn_from_held_out();
  measure_model();
  add_summary();
  return result_;
}

void Training::run_epoch() {
  const Time::time_point start = last_progress_ = Time::now();
  const std::int64_t epoch = trainer_.clock().epoch;
  const std::size_t rows_before = rows_;
  make_steps();
  const bool whole = trainer_.clock().epoch > epoch;
  // What goes on with the run goes on with the steps of this epoch. What follows here is the end of a run that stops
  // within it.
  if (!whole && !trainer_.done()) save_if_due(true);
  trainer_.model();  // finishes the last update
  const double seconds = seconds_since(start);
  averaging_.after_epoch(epoch + 1);
  EpochReport report;
  {
    const Averaging::InPlace average(averaging_);
    report = report_of(epoch + 1, static_cast<double>(rows_ - rows_before) / seconds);
    see_epoch(report);
  }
  result_.samples_per_s += static_cast<double>(rows_ - rows_before);
  result_.seconds += seconds;
  result_.train.loss = report.train_loss;
  log_.write(epoch_line(report));
  events_.write(report);
  if (beside_.recorder) beside_.recorder->add(report);
  if (observer_->on_epoch) observer_->on_epoch(report);
  if (whole || trainer_.done()) {
    sums_ = {};
    save_if_due(!result_.ended.empty() || trainer_.done());
  }
}

// Those of the epoch that are left, or up to where the run stops.
void Training::make_steps() {
  const std::int64_t epoch = trainer_.clock().epoch;
  for (bool stop = false; !stop && trainer_.clock().epoch == epoch;) {
    const StepRecord record = step();
    stop = must_stop();
    tell_progress(record.loss);
    if (!stop && trainer_.clock().epoch == epoch) save_if_due(false);
  }
}

void Training::save_if_due(bool at_once) {
  if (beside_.checkpoints == nullptr) return;
  if (observer_->should_save && observer_->should_save()) at_once = true;
  if (at_once || beside_.checkpoints->due(trainer_.clock().attempted)) save_checkpoint();
  tell_checkpoints();
}

void Training::save_checkpoint() {
  Checkpoints::Now now;
  now.attempted = trainer_.clock().attempted;
  now.applied = trainer_.clock().applied;
  now.epoch = trainer_.clock().epoch;
  now.scaler = trainer_.scaler().state();
  // Again, where the last time was in vain.
  if (early_stop_.best_epoch() != saved_best_ || (saved_best_ > 0 && !beside_.checkpoints->failure().empty())) {
    now.best = trainer_.best_tensors();
    now.best_applied = trainer_.best_applied();
  }
  saved_best_ = early_stop_.best_epoch();
  now.state = save_state(*this);
  if (beside_.recorder) {
    detail::StateSaver saver(now.state);
    const StateVisitor::Group group(saver, "report");
    beside_.recorder->visit_state(saver);
  }
  beside_.checkpoints->save(std::move(now));
}

void Training::tell_checkpoints() {
  if (beside_.checkpoints) beside_.checkpoints->tell(*observer_);
}

void Training::see_epoch(EpochReport& report) {
  if (!report.has_eval) return;
  report.best = early_stop_.see(report.epoch, report.eval);
  if (report.best && trainer_.config().keeps_best) trainer_.keep_best();
  if (result_.ended.empty() && early_stop_.over()) result_.ended = "early stop";
  if (!plateau_) return;
  plateau_->see(report.epoch, early_stop_.best_epoch());
  set_rate();
}

void Training::set_rate() {
  trainer_.set_rate_factor((plateau_ ? plateau_->factor() : 1) *
                           (beside_.recovery ? beside_.recovery->rate_factor() : 1));
}

void Training::visit_state(StateVisitor& visitor) {
  const auto visit = [&](const char* name, auto& object) {
    const StateVisitor::Group group(visitor, name);
    object.visit_state(visitor);
  };
  {
    const StateVisitor::Group group(visitor, "trainer");
    trainer_.visit_training(visitor);
  }
  visit("epoch", sums_);
  visitor.number("train_loss", result_.train.loss);
  visit("early_stop", early_stop_);
  if (plateau_) visit("plateau", *plateau_);
  if (beside_.recovery && options_.on_nonfinite == "rollback") visit("recovery", *beside_.recovery);
}

void Training::loaded() {
  trainer_.loaded();
  if (beside_.recovery) beside_.recovery->loaded();
}

StepRecord Training::step() {
  const std::size_t rows = trainer_.next_rows();
  if (beside_.recorder) beside_.recorder->begin_step();
  StepRecord record = trainer_.step();
  if (beside_.recorder) beside_.recorder->end_step(record, trainer_.metered());
  rows_ += rows;
  // A step that overflowed has no loss to speak of, and changed nothing.
  if (record.outcome == StepOutcome::skipped) {
    ++sums_.skipped;
    last_skipped_ = record;
  } else {
    sums_.loss += record.loss * static_cast<double>(rows);
    sums_.applied_rows += rows;
    averaging_.after_applied_step();
  }
  sums_.grad_norm = record.grad_norm;
  tell_step(record);
  return record;
}

void Training::tell_step(const StepRecord& record) {
  if (trainer_.metered()) {
    if (beside_.recorder) beside_.recorder->add(trainer_.meter());
    if (reads_meters()) log_.write(meter_line(trainer_.meter()));
    if (reads_meters() && observer_->on_meter) observer_->on_meter(trainer_.meter());
  }
  if (record.outcome != StepOutcome::applied) log_.write(incident_line(record));
  if (observer_->on_step) observer_->on_step(record);
  if (beside_.recovery) {
    const bool mended = beside_.recovery->after(record);
    set_rate();
    if (mended) return log_.write(recovery_line(record.step, beside_.recovery->actions().back()));
  }
  if (const auto parts = verdict(record, trainer_.ledger(), trainer_.scaler(), options_)) diverge(*parts, record);
}

void Training::diverge(const ErrorParts& parts, const StepRecord& record) const {
  throw Error(Status::diverged, beside_.incidents ? beside_.incidents->with_reason(parts, record) : parts);
}

bool Training::must_stop() {
  if (observer_->should_stop && observer_->should_stop()) {
    result_.stopped = true;
    result_.ended = "signal";
  } else if (options_.time_limit > 0 && seconds_since(start_) >= options_.time_limit) {
    result_.ended = "time limit";
  } else if (beside_.checkpoints && beside_.checkpoints->ends_run()) {
    result_.ended = "lost checkpoint";
  }
  return !result_.ended.empty() || trainer_.done();
}

void Training::tell_progress(double loss) {
  if (!observer_->on_progress || seconds_since(last_progress_) <= 0.1) return;
  last_progress_ = Time::now();
  ProgressReport p;
  p.epoch = trainer_.clock().epoch + 1;
  p.epochs = planned_epochs();
  p.steps = planned_steps();
  p.counts = trainer_.ledger().counts();
  p.loss = loss;
  p.loss_scale = trainer_.scaler().scale();
  p.samples_per_s = static_cast<double>(rows_) / std::max(seconds_since(start_), 1e-9);
  p.seconds_left = seconds_left();
  observer_->on_progress(p);
}

std::int64_t Training::planned_epochs() const {
  return beside_.epochs > 0 ? beside_.epochs : run_length(options_, trainer_.config()).epochs;
}

std::int64_t Training::planned_steps() const {
  const TrainerConfig& config = trainer_.config();
  return beside_.epochs > 0 ? beside_.epochs * steps_per_epoch(epoch_plan(config)) : config.schedule.steps;
}

double Training::seconds_left() const {
  const double seconds = seconds_since(start_);
  const auto made = static_cast<double>(trainer_.clock().attempted - begun_at_);
  const auto planned = static_cast<double>(planned_steps() - trainer_.clock().attempted);
  const double left = seconds / made * planned;
  return options_.time_limit > 0 ? std::clamp(options_.time_limit - seconds, 0.0, left) : left;
}

EpochReport Training::report_of(std::int64_t epoch, double samples_per_s) {
  EpochReport e;
  e.epoch = epoch;
  e.epochs = planned_epochs();
  e.steps = trainer_.ledger().counts();
  e.skipped = sums_.skipped;
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  e.train_loss = sums_.applied_rows > 0 ? sums_.loss / static_cast<double>(sums_.applied_rows) : kNone;
  e.lr = trainer_.rate_at(std::max<std::int64_t>(e.steps.applied, 1) - 1);
  e.loss_scale = trainer_.scaler().scale();
  e.grad_norm = sums_.grad_norm;
  e.samples_per_s = samples_per_s;
  const data::Examples* const watched = validation_ != nullptr ? validation_ : test_;
  e.has_eval = watched != nullptr;
  if (watched != nullptr) e.eval = trainer_.evaluate(*watched, meaning_, MoreMetrics::with(metric_));
  return e;
}

// A run whose last steps were mostly skipped, or whose last update broke a weight, has no model.
void Training::finish() {
  const auto parts = final_verdict(trainer_.ledger(), trainer_.scaler(), options_);
  if (parts && !result_.stopped) diverge(*parts, last_skipped_);
  const std::optional<StepRecord> bad = trainer_.check_weights();
  if (!bad) return;
  if (beside_.incidents) beside_.incidents->add_weights(*bad);
  diverge(*verdict(*bad, trainer_.ledger(), trainer_.scaler(), options_), *bad);
}

void Training::keep_best() {
  applied_ = trainer_.clock().applied;
  if (options_.early_stop == 0) return averaging_.settle();
  if (const std::int64_t applied = trainer_.restore_best(); applied > 0) {
    applied_ = applied;
    result_.best_epoch = early_stop_.best_epoch();
  }
}

// A test set stays what nothing was learned from.
void Training::learn_from_held_out() {
  if (validation_ == nullptr || !learns_from_held_out(options_, meaning_)) return;
  OutputsOfRows said(validation_->rows, trainer_.model().shape().widths.back());
  said.set(0, trainer_.context(), trainer_.model(), *validation_, meaning_);
  facts_ = facts_of(options_, *loss_of(trainer_.config().model), meaning_, *validation_, said, result_);
  meaning_.temperature = facts_.temperature;
}

void Training::measure_model() {
  if (validation_ != nullptr || test_ != nullptr) {
    result_.eval_name = validation_ != nullptr ? "validation" : "test";
    result_.eval = trainer_.evaluate(validation_ != nullptr ? *validation_ : *test_, meaning_, MoreMetrics::all());
  }
  result_.has_test = validation_ != nullptr && test_ != nullptr;
  if (result_.has_test) result_.test = trainer_.evaluate(*test_, meaning_, MoreMetrics::all());
}

void Training::add_summary() {
  result_.metric = name(metric_);
  result_.samples_per_s /= std::max(result_.seconds, 1e-9);
  result_.train.rows = static_cast<std::int64_t>(trainer_.config().rows);
  result_.train.classification = meaning_.classification;
  result_.steps = trainer_.ledger().counts();
  result_.resumed_at = begun_at_;
  if (beside_.checkpoints) {
    result_.checkpoint = beside_.checkpoints->last_path();
    if (const std::string& failure = beside_.checkpoints->failure(); !failure.empty()) {
      result_.warnings.push_back("the last checkpoint is missing: " + failure);
    }
  }
  result_.ledger = trainer_.ledger().entries();
  if (beside_.incidents) add_incidents(*beside_.incidents);
  result_.loss_scale = trainer_.scaler().scale();
  if (reads_meters()) result_.meter = trainer_.meter();
}

void Training::add_incidents(const Incidents& incidents) {
  result_.incidents = incidents.list();
  if (incidents.missed() > 0 && observer_->on_warning) {
    observer_->on_warning("there was not the memory to find out why " + std::to_string(incidents.missed()) +
                          " of the skipped steps were");
  }
  if (beside_.recovery) result_.recoveries = beside_.recovery->actions();
  result_.warnings.insert(result_.warnings.end(), incidents.warnings().begin(), incidents.warnings().end());
  if (const std::string rows = incidents.rows_to_blame(); !rows.empty()) {
    result_.warnings.push_back("steps were skipped, and their rows not learned from, because of " + rows);
    if (observer_->on_warning) observer_->on_warning(result_.warnings.back());
  }
}

}  // namespace halfstep::internal
