#include "train/trainer.hpp"

#include <algorithm>

#include "base/fp_env.hpp"
#include "data/split.hpp"
#include "halfstep/error.hpp"
#include "train/network_of.hpp"

namespace halfstep::internal {
namespace {

constexpr double kMostRate = 1e30;

[[noreturn]] void refuse(Status status, const char* what, const char* why) {
  throw Error(status, {.what = what, .where = {}, .why = why, .kept = {}, .hint = {}});
}

void check_set(const data::Examples* set, const TrainerConfig& config) {
  if (config.rows != (set ? set->rows : 0)) {
    refuse(Status::invalid_argument, "the examples do not fit",
           "they have another number of rows than the configuration says");
  }
  const bool outputs_fit = !set || set->targets.empty() || set->outputs == config.model.widths.back();
  if (!outputs_fit || (set && set->features != config.model.widths.front())) {
    refuse(Status::invalid_argument, "the examples do not fit", "the model has other inputs or outputs");
  }
}

}  // namespace

StepTrainer::StepTrainer(const KernelTable& kernels, Executor& executor, const TrainerConfig& config,
                         const data::Examples* set)
    : config_(config),
      plan_(epoch_plan(config)),
      shape_(run_shape(config, 0, executor.threads())),
      model_(shape_.model),
      context_(kernels, executor),
      loss_(loss_of(config.model)),
      optimizer_(make_optimizer(config.optimizer, TrainStep::tensor_sizes(model_, config.embedding_rate))),
      scaler_(config.scaler),
      step_(context_, model_, *loss_, *optimizer_, scaler_, clock_, config.clip,
            config.headroom ? std::optional<Headroom>(std::in_place) : std::nullopt),
      last_good_(model_),
      loader_(config.model.widths.front(), executor.threads()) {
  check_set(set, config);
  if (set) batcher_.emplace(*set, plan_.step_rows, executor.threads());
  {
    const FpEnvGuard fp_env;  // a host may round otherwise
    model_.initialise(config.seed, kernels);
  }
  if (shape_.meters) meter_.emplace(model_);
  if (shape_.keeps_best) best_.emplace(model_);
  if (shape_.averages) average_.emplace(model_);
  step_.leave_updates();
}

Network& StepTrainer::model() {
  step_.finish_update();
  return model_;
}

const MeterReport& StepTrainer::meter() const {
  static const MeterReport none;
  return meter_ ? meter_->report() : none;
}

std::vector<MemoryPart> StepTrainer::memory(std::size_t examples) const {
  RunShape shape = shape_;
  shape.examples = examples;
  std::vector<MemoryPart> parts =
      memory_parts(shape, model_, *optimizer_, last_good_,
                   {best_ ? &*best_ : nullptr, average_ ? &*average_ : nullptr, meter_ ? &*meter_ : nullptr});
  if (const std::size_t rest = detail::rest_of_huge_pages(); rest > 0) {
    parts.push_back({"rest of huge pages", static_cast<std::int64_t>(rest)});
  }
  return parts;
}

Metrics StepTrainer::evaluate(const data::Examples& examples, const OutputMeaning& meaning, MoreMetrics more) {
  return measure(context_, model(), examples, *loss_, meaning, more);
}

void StepTrainer::check(const BatchView& batch) const {
  const std::size_t inputs = model_.shape().widths.front(), outputs = model_.shape().widths.back();
  const std::size_t rows = batch.x.size() / inputs;
  if (rows == 0 || batch.x.size() != rows * inputs) {
    refuse(Status::invalid_argument, "the batch does not fit", "its numbers are not whole rows of inputs");
  }
  if (!has_labels(config_.model.loss)) {
    if (batch.values.size() == rows * outputs) return;
    refuse(Status::invalid_argument, "the batch does not fit", "it needs a value for each output of each row");
  }
  const auto classes = static_cast<std::int32_t>(std::max<std::size_t>(outputs, 2));
  const auto known = [&](std::int32_t label) { return label >= 0 && label < classes; };
  if (batch.labels.size() == rows && std::all_of(batch.labels.begin(), batch.labels.end(), known)) return;
  refuse(Status::invalid_argument, "the batch does not fit", "it needs the number of a class for each row");
}

StepRecord StepTrainer::step(const BatchView& batch) {
  check(batch);
  const InputRows rows = {.features = model_.shape().widths.front(), .x = batch.x.data()};
  auto load = [&](std::size_t first, std::size_t count, Activations& input) {
    loader_.load(context_, rows, {.count = count, .first = first}, input);
  };
  return run_step({batch.x.size() / rows.features,
                   {batch.labels.data(), batch.values.data()},
                   shape_.model.max_rows,
                   load,
                   model_.least_rows()},
                  {});
}

std::size_t StepTrainer::next_rows() const {
  if (!batcher_) refuse(Status::state, "there are no next rows", "the trainer was made without examples");
  return step_rows_at(plan_, clock_.row);
}

StepRecord StepTrainer::step() {
  const std::size_t count = next_rows();
  if (order_epoch_ != clock_.epoch) {
    order_ = data::epoch_order(plan_.rows, config_.seed, static_cast<std::uint64_t>(clock_.epoch));
    order_epoch_ = clock_.epoch;
  }
  const std::span<const std::uint32_t> rows = std::span(order_).subspan(clock_.row, count);
  auto load = [&](std::size_t first, std::size_t part, Activations& input) {
    batcher_->load(context_, rows.subspan(first, part), input);
  };
  StepRecord record =
      run_step({count, batcher_->targets(rows), shape_.model.max_rows, load, model_.least_rows()}, rows);
  advance(clock_, count);
  return record;
}

void StepTrainer::advance(Clock& clock, std::size_t rows) const {
  clock.row += rows;
  if (clock.row != plan_.rows) return;
  clock.row = 0;
  ++clock.epoch;
}

StepRecord StepTrainer::run_step(const StepExamples& examples, std::span<const std::uint32_t> rows) {
  const FpEnvGuard fp_env;  // the rate is calculated here, not in a task
  const Clock before = clock_;
  metered_ = meter_ && clock_.attempted % config_.meter_every == 0;
  // The rate follows the applied steps: a skipped one does not use it up.
  const double lr = rate_at(clock_.applied);
  const StepReport report = step_.run(examples, lr, metered_ ? &*meter_ : nullptr);
  if (metered_) meter_->set_step(clock_.attempted);
  StepRecord record = record_of(report, lr);
  ledger_.add(record);
  recent_.add(record);
  if (!report.applied && on_withheld_) on_withheld_({examples, rows, record, before, report.incident.part});
  if (report.applied && looks_for_silence()) {
    std::vector<std::string> silent = step_.silent_gradients();
    if (!silent.empty()) on_withheld_({examples, rows, record, before, 0, std::move(silent)});
  }
  last_cause_ = report.applied ? StepCause::none : record.cause;
  if (report.applied) keep_if_good(record);
  return record;
}

bool StepTrainer::looks_for_silence() const {
  const auto step = static_cast<std::uint64_t>(clock_.attempted);
  return on_withheld_ && step >= 16 && (step & (step - 1)) == 0;
}

StepRecord StepTrainer::record_of(const StepReport& report, double lr) const {
  StepRecord record;
  record.step = clock_.attempted;
  record.applied = clock_.applied;
  record.outcome = !report.applied     ? StepOutcome::skipped
                   : report.reruns > 0 ? StepOutcome::retried
                                       : StepOutcome::applied;
  record.cause = report.incident.cause;
  if (record.cause != StepCause::none) record.tensors = step_.tensors_of(report.incident);
  record.loss = report.loss;
  record.lr = lr;
  record.loss_scale = report.loss_scale;
  record.grad_norm = report.grad_norm;
  record.reruns = report.reruns;
  return record;
}

void StepTrainer::keep_if_good(const StepRecord& record) {
  if (!last_good_.due(record.loss)) return;
  step_.finish_update();
  if (step_.check_weights().cause != StepCause::none) return;
  last_good_.keep(model_, record.applied);
  good_place_ = clock_;
}

void StepTrainer::begin_at_last_good_of(const StepTrainer& other) {
  other.last_good_.restore(model_);
  model_.loaded(context_.kernels);
  clock_ = other.good_place_;
  advance(clock_, next_rows());  // past the step that made them
  scaler_.set_scale(other.scaler_.scale());
}

std::optional<StepRecord> StepTrainer::check_weights() {
  step_.finish_update();
  const StepIncident bad = step_.check_weights();
  if (bad.cause == StepCause::none) return std::nullopt;
  last_cause_ = bad.cause;
  StepRecord record;
  record.step = clock_.attempted;
  record.outcome = StepOutcome::skipped;
  record.cause = bad.cause;
  record.tensors = step_.tensors_of(bad);
  record.loss_scale = scaler_.scale();
  return record;
}

std::int64_t StepTrainer::restore_last_good() {
  step_.finish_update();
  // What stopped these steps did not come from the weights: they are as the last applied step left them.
  const bool weights_are_good = last_cause_ != StepCause::weights && last_cause_ != StepCause::forward &&
                                last_cause_ != StepCause::loss && step_.check_weights().cause == StepCause::none;
  if (weights_are_good) return clock_.applied;
  if (!last_good_.any()) return 0;
  last_good_.restore(model_);
  return last_good_.applied();
}

void StepTrainer::keep_best() {
  step_.finish_update();
  best_.value().keep(model_, clock_.applied);
}

std::int64_t StepTrainer::restore_best() {
  step_.finish_update();
  if (!best_.value().any()) return 0;
  best_->restore(model_);
  model_.loaded(context_.kernels);
  return best_->applied();
}

std::vector<NamedTensor> StepTrainer::best_tensors() {
  step_.finish_update();
  WeightCopy now(model_);
  now.keep(model_, clock_.applied);
  best_.value().restore(model_);
  std::vector<NamedTensor> tensors = model_.tensors();
  now.restore(model_);
  return tensors;
}

void StepTrainer::add_to_average(float share) {
  const FpEnvGuard fp_env;
  step_.finish_update();
  average_.value().add(model_, share);
}

void StepTrainer::exchange_average() {
  step_.finish_update();
  average_.value().exchange(model_);
  model_.loaded(context_.kernels);
}

void StepTrainer::visit_state(StateVisitor& visitor) {
  visit_training(visitor);
  if (!meter_) return;
  const StateVisitor::Group group(visitor, "meter");
  meter_->visit_state(visitor);
}

void StepTrainer::visit_learned(StateVisitor& visitor) {
  step_.finish_update();
  {
    const StateVisitor::Group group(visitor, "network");
    model_.visit_state(visitor);
  }
  const StateVisitor::Group group(visitor, "optimizer");
  optimizer_->visit_state(visitor);
}

void StepTrainer::begin_again() {
  const FpEnvGuard fp_env;
  step_.finish_update();
  model_.initialise(config_.seed, context_.kernels);
  model_.discard_statistics();
  optimizer_->forget();
}

void StepTrainer::visit_training(StateVisitor& visitor) {
  step_.finish_update();
  const auto visit = [&](const char* name, auto& object) {
    const StateVisitor::Group group(visitor, name);
    object.visit_state(visitor);
  };
  visit_learned(visitor);
  visit("scaler", scaler_);
  visit("step", step_);
  visit("clock", clock_);
  visit("ledger", ledger_);
  visit("last_good", last_good_);
  if (best_) visit("best", *best_);
  if (average_) visit("average", *average_);
  visitor.number("rate_factor", rate_factor_);
  visitor.value("last_cause", last_cause_, static_cast<std::int64_t>(StepCause::unscale) + 1);
  if (visitor.loads_scalars()) check_loaded(visitor);
}

// What the numbers say of each other.
void StepTrainer::check_loaded(const StateVisitor& visitor) const {
  if (!(rate_factor_ >= 0 && rate_factor_ < kMostRate)) visitor.out_of_range("rate_factor");
  if (clock_.row >= plan_.rows && clock_.row > 0) visitor.out_of_range("clock.row");
  if (clock_.applied > clock_.attempted) visitor.out_of_range("clock.applied");
  if (optimizer_->steps() > clock_.applied) visitor.out_of_range("optimizer.steps");
  if (ledger_.counts().attempted != clock_.attempted) visitor.out_of_range("ledger.attempted");
}

void StepTrainer::loaded() { model_.loaded(context_.kernels); }

}  // namespace halfstep::internal
