#include "run/training.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "data/split.hpp"
#include "halfstep/error.hpp"
#include "run/meter_json.hpp"
#include "run/model_text.hpp"
#include "run/scaling.hpp"
#include "run/verdict.hpp"
#include "train/network_of.hpp"

namespace halfstep {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

OptimizerOptions optimizer_options(const Options& o) {
  return {o.optimizer, o.momentum,     o.nesterov, o.beta1,  o.beta2,
          o.epsilon,   o.weight_decay, o.moments,  o.master, o.seed};
}

std::size_t batch_rows(const Options& options, const data::Examples& train) {
  return std::min<std::size_t>(static_cast<std::size_t>(options.batch), train.rows);
}

// All batches of a step.
std::size_t step_rows(const Options& options, const data::Examples& train) {
  return std::min(batch_rows(options, train) * static_cast<std::size_t>(options.accumulate), train.rows);
}

std::int64_t steps_per_epoch(const Options& options, const data::Examples& train) {
  const std::size_t rows = step_rows(options, train);
  return static_cast<std::int64_t>((train.rows + rows - 1) / rows);
}

// Of the next step where `left` rows of the epoch are left. BatchNorm cannot train on a last step of one row: the step
// before it leaves it a second one.
std::size_t next_rows(const Options& options, std::size_t most, std::size_t left) {
  return options.norm == Norm::batch && left == most + 1 ? most - 1 : std::min(most, left);
}

// Small sets need more passes than large ones to see the same number of updates.
std::int64_t planned_epochs(const Options& options, const data::Examples& train) {
  if (options.epochs > 0) return options.epochs;
  return std::clamp<std::int64_t>(1000 / steps_per_epoch(options, train), 20, 200);
}

std::int64_t planned_steps_of(const Options& options, const data::Examples& train) {
  return options.steps > 0 ? options.steps : planned_epochs(options, train) * steps_per_epoch(options, train);
}

json::Object incident_line(const StepRecord& r) {
  json::Array tensors(r.tensors.begin(), r.tensors.end());
  return {{"event", name(r.outcome)}, {"step", r.step}, {"applied", r.applied}, {"cause", name(r.cause)},
          {"tensors", tensors},       {"loss", r.loss}, {"lr", r.lr},           {"loss_scale", r.loss_scale},
          {"reruns", r.reruns}};
}

std::size_t bytes_of(const data::Examples& e) {
  return e.x.size() * sizeof(float) + e.bytes.size() + e.labels.size() * sizeof(e.labels[0]) +
         e.targets.size() * sizeof(e.targets[0]) + e.exact_targets.size() * sizeof(e.exact_targets[0]);
}

RunShape run_shape(const Options& options, const ModelSpec& spec, const Machine& machine, const data::Examples& train,
                   const data::Examples* eval) {
  return {.model = network_of(spec, {.max_rows = batch_rows(options, train),
                                     .training = true,
                                     .master = options.master == MasterKind::fp32,
                                     .mask_seed = options.seed}),
          .optimizer = optimizer_options(options),
          .meters = options.meter_every > 0,
          .examples = bytes_of(train) + (eval != nullptr ? bytes_of(*eval) : 0),
          .threads = machine.executor->threads()};
}

// Before anything is taken: a run that cannot end must not push what else runs here out of memory first.
RunShape affordable(RunShape shape) {
  check_memory(shape);
  return shape;
}

}  // namespace

Trainer::Trainer(const Options& options, const ModelSpec& spec, const OutputMeaning& meaning, Machine& machine,
                 const data::Examples& train, const data::Examples* eval)
    : options_(options),
      spec_(spec),
      meaning_(meaning),
      machine_(machine),
      train_(train),
      eval_(eval),
      shape_(affordable(run_shape(options, spec, machine, train, eval))),
      model_(shape_.model),
      context_(*machine.kernels, *machine.executor),
      loss_(loss_of(spec)),
      optimizer_(make_optimizer(shape_.optimizer, TrainStep::tensor_sizes(model_))),
      scaler_(scaler_options(options)),
      step_(context_, model_, *loss_, *optimizer_, scaler_, clock_, {options.clip_norm, options.clip_value},
            headroom_of(options)),
      last_good_(model_),
      batcher_(train, step_rows(options, train), machine.executor->threads()),
      schedule_{from_name<ScheduleKind>(options.schedule).value(), options.lr, options.warmup,
                planned_steps_of(options, train)},
      log_(options.metrics) {
  model_.initialise(options.seed, *machine.kernels);
  if (shape_.meters) meter_.emplace(model_);
  step_.leave_updates();
}

std::vector<MemoryPart> Trainer::memory() const {
  std::vector<MemoryPart> parts = memory_parts(shape_, model_, *optimizer_, last_good_, meter_ ? &*meter_ : nullptr);
  if (const std::size_t rest = detail::rest_of_huge_pages(); rest > 0) {
    parts.push_back({"rest of huge pages", static_cast<std::int64_t>(rest)});
  }
  return parts;
}

StepReport Trainer::one_step(std::span<const std::uint32_t> rows) {
  auto load = [&](std::size_t first, std::size_t count) {
    batcher_.load(context_, rows.subspan(first, count), model_.input());
  };
  const StepExamples examples = {rows.size(), batcher_.targets(rows), model_.shape().max_rows, load};
  // Two clocks: the rate follows the applied steps, so a skipped one does not use it up.
  return step_.run(examples, schedule_.at(ledger_.counts().applied), meter_due() ? &*meter_ : nullptr);
}

// Before the step is accounted for.
bool Trainer::meter_due() const { return meter_ && ledger_.counts().attempted % options_.meter_every == 0; }

void Trainer::tell_meter(const TrainObserver& observer) {
  meter_->set_step(ledger_.counts().attempted + 1);
  log_.write(meter_line(meter_->report()));
  if (observer.on_meter) observer.on_meter(meter_->report());
}

void Trainer::account(const StepReport& report, const TrainObserver& observer) {
  StepRecord record;
  record.step = ledger_.counts().attempted + 1;
  record.applied = ledger_.counts().applied + (report.applied ? 1 : 0);
  record.outcome = !report.applied     ? StepOutcome::skipped
                   : report.reruns > 0 ? StepOutcome::retried
                                       : StepOutcome::applied;
  record.cause = report.incident.cause;
  if (record.cause != StepCause::none) record.tensors = step_.tensors_of(report.incident);
  record.loss = report.loss;
  record.lr = schedule_.at(ledger_.counts().applied);
  record.loss_scale = report.loss_scale;
  record.grad_norm = report.grad_norm;
  record.reruns = report.reruns;
  ledger_.add(record);
  if (record.outcome != StepOutcome::applied) log_.write(incident_line(record));
  if (observer.on_step) observer.on_step(record);
  last_cause_ = report.applied ? StepCause::none : record.cause;
  if (report.applied && last_good_.due(report.loss)) {
    step_.finish_update();
    if (step_.check_weights().cause == StepCause::none) last_good_.keep(model_, record.applied);
  }
  if (const auto parts = verdict(record, ledger_, scaler_, options_)) throw Error(Status::diverged, *parts);
}

std::int64_t Trainer::restore_last_good() {
  step_.finish_update();
  // What stopped these steps did not come from the weights: they are as the last applied step left them.
  const bool weights_are_good = last_cause_ != StepCause::weights && last_cause_ != StepCause::forward &&
                                last_cause_ != StepCause::loss && step_.check_weights().cause == StepCause::none;
  if (weights_are_good) return ledger_.counts().applied;
  if (!last_good_.any()) return 0;
  last_good_.restore(model_);
  return last_good_.applied();
}

// The last update may have been the bad one, and no forward pass has seen it yet.
void Trainer::finish(bool stopped) {
  const auto parts = final_verdict(ledger_, scaler_, options_);
  if (parts && !stopped) throw Error(Status::diverged, *parts);
  const Incident bad = step_.check_weights();
  if (bad.cause == StepCause::none) return;
  last_cause_ = bad.cause;
  StepRecord record;
  record.step = ledger_.counts().attempted;
  record.outcome = StepOutcome::skipped;
  record.cause = bad.cause;
  record.tensors = step_.tensors_of(bad);
  record.loss_scale = scaler_.scale();
  throw Error(Status::diverged, *verdict(record, ledger_, scaler_, options_));
}

bool Trainer::run_epoch(std::int64_t epoch, const TrainObserver& observer, TrainResult& result) {
  const auto start = std::chrono::steady_clock::now();
  const std::size_t most = step_rows(options_, train_);
  const std::vector<std::uint32_t> order =
      data::epoch_order(train_.rows, options_.seed, static_cast<std::uint64_t>(epoch));
  auto last_progress = start;
  double loss_sum = 0;
  std::size_t seen = 0;
  StepReport report;
  bool stop = false;
  for (std::size_t first = 0, rows = 0; first < train_.rows && !stop; first += rows) {
    rows = next_rows(options_, most, train_.rows - first);
    report = one_step({order.data() + first, rows});
    loss_sum += report.loss * static_cast<double>(rows);
    seen += rows;
    if (meter_due()) tell_meter(observer);
    account(report, observer);
    stop = ledger_.counts().attempted >= schedule_.steps;
    if (observer.should_stop && observer.should_stop()) result.stopped = stop = true;
    if (observer.on_progress && seconds_since(last_progress) > 0.1) {
      last_progress = std::chrono::steady_clock::now();
      observer.on_progress(ledger_.counts().attempted, schedule_.steps, report.loss);
    }
  }
  step_.finish_update();
  const double seconds = seconds_since(start);
  EpochReport e;
  e.epoch = epoch + 1;
  e.epochs = options_.steps > 0 ? 0 : planned_epochs(options_, train_);
  e.steps = ledger_.counts();
  e.train_loss = loss_sum / static_cast<double>(seen);
  e.lr = schedule_.at(std::max<std::int64_t>(e.steps.applied, 1) - 1);
  e.loss_scale = scaler_.scale();
  e.grad_norm = report.grad_norm;
  e.samples_per_s = static_cast<double>(seen) / seconds;
  result.samples_per_s += static_cast<double>(seen);
  result.seconds += seconds;
  result.train.loss = e.train_loss;
  result.train.rows = static_cast<std::int64_t>(train_.rows);
  if (eval_) {
    e.has_eval = true;
    e.eval = result.eval = measure(context_, model_, *eval_, *loss_, meaning_);
  }
  json::Object line = {{"epoch", e.epoch},
                       {"step", e.steps.attempted},
                       {"applied", e.steps.applied},
                       {"retried", e.steps.retried},
                       {"skipped", e.steps.skipped},
                       {"split", "train"},
                       {"loss", e.train_loss},
                       {"lr", e.lr},
                       {"grad_norm", e.grad_norm},
                       {"loss_scale", e.loss_scale},
                       {"samples_per_s", e.samples_per_s}};
  if (e.has_eval) {
    line.emplace_back("eval_loss", e.eval.loss);
    if (e.eval.classification) line.emplace_back("eval_accuracy", e.eval.accuracy);
    if (!e.eval.classification) line.emplace_back("eval_rmse", e.eval.rmse);
    if (!e.eval.classification) line.emplace_back("eval_r2", e.eval.r2);
  }
  log_.write(line);
  if (observer.on_epoch) observer.on_epoch(e);
  return !stop;
}

TrainResult Trainer::run(const TrainObserver& observer) {
  TrainResult result;
  log_.on_lost([&](const std::string& warning) {
    result.warnings.push_back(warning);
    if (observer.on_warning) observer.on_warning(warning);
  });
  for (std::int64_t epoch = 0; run_epoch(epoch, observer, result) && ledger_.counts().attempted < schedule_.steps;) {
    ++epoch;
  }
  log_.close();
  finish(result.stopped);
  result.samples_per_s /= std::max(result.seconds, 1e-9);
  result.precision = name(options_.precision);
  result.layer_precision = exceptions_text(spec_);
  result.isa = machine_.kernels->name;
  result.math = name(options_.math);
  result.threads = machine_.executor->threads();
  result.steps = ledger_.counts();
  result.loss_scale = scaler_.scale();
  result.train.classification = meaning_.classification;
  result.ledger = ledger_.entries();
  if (meter_) result.meter = meter_->report();
  return result;
}

}  // namespace halfstep
