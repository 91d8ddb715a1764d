#include "train/trainer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>

#include "data/split.hpp"
#include "halfstep/error.hpp"

namespace halfstep {
namespace {

// Skips in a row without any applied step in between after which a run that cannot shrink its scale gives up.
constexpr std::int64_t kHopelessSkips = 20;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string plain(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return {text, end};
}

GradScalerOptions scaler_options(const Options& options) {
  GradScalerOptions s;
  const bool automatic = options.loss_scale == "auto";
  s.dynamic = options.loss_scale == "dynamic" || (automatic && options.precision == Dtype::fp16);
  s.growth_factor = static_cast<float>(options.scale_growth);
  s.backoff_factor = static_cast<float>(options.scale_backoff);
  s.growth_interval = options.scale_interval;
  s.minimum = static_cast<float>(options.scale_min);
  s.maximum = static_cast<float>(options.scale_max);
  if (!s.dynamic) {
    double fixed = 1;
    const std::string& text = options.loss_scale;
    if (!automatic && text != "none") std::from_chars(text.data(), text.data() + text.size(), fixed);
    s.initial = static_cast<float>(fixed);
  } else if (options.scale_init > 0) {
    s.initial = static_cast<float>(options.scale_init);
  } else {
    // The gradient of a mean by one logit is at most 1 / batch: this leaves a factor of two below fp16's largest.
    const double batch = std::exp2(std::floor(std::log2(static_cast<double>(options.batch))));
    s.initial = static_cast<float>(std::min(65536.0, 32768.0 * batch));
  }
  return s;
}

OptimizerOptions optimizer_options(const Options& o) {
  return {o.optimizer, o.momentum,     o.nesterov, o.beta1,  o.beta2,
          o.epsilon,   o.weight_decay, o.moments,  o.master, o.seed};
}

std::size_t batch_rows(const Options& options, const data::Examples& train) {
  return std::min<std::size_t>(static_cast<std::size_t>(options.batch), train.rows);
}

std::int64_t steps_per_epoch(const Options& options, const data::Examples& train) {
  const std::size_t batch = batch_rows(options, train);
  return static_cast<std::int64_t>((train.rows + batch - 1) / batch);
}

// Small sets need more passes than large ones to see the same number of updates.
std::int64_t planned_epochs(const Options& options, const data::Examples& train) {
  if (options.epochs > 0) return options.epochs;
  return std::clamp<std::int64_t>(1000 / steps_per_epoch(options, train), 20, 200);
}

std::int64_t planned_steps_of(const Options& options, const data::Examples& train) {
  return options.steps > 0 ? options.steps : planned_epochs(options, train) * steps_per_epoch(options, train);
}

}  // namespace

std::vector<std::size_t> model_widths(const Problem& problem, const Options& options) {
  std::vector<std::size_t> widths = {problem.inputs};
  for (std::int64_t width : options.hidden) widths.push_back(static_cast<std::size_t>(width));
  widths.push_back(problem.outputs);
  return widths;
}

Trainer::Trainer(const Options& options, const Problem& problem, Machine& machine, const data::Examples& train,
                 const data::Examples* eval)
    : options_(options),
      problem_(problem),
      machine_(machine),
      train_(train),
      eval_(eval),
      model_({.widths = model_widths(problem, options),
              .activation = options.activation,
              .dtype = options.precision,
              .max_rows = batch_rows(options, train),
              .master = options.master == MasterKind::fp32}),
      context_(*machine.kernels, *machine.executor, options.precision),
      loss_(make_loss(problem.loss, options.huber_delta)),
      optimizer_(make_optimizer(optimizer_options(options), TrainStep::tensor_sizes(model_))),
      scaler_(scaler_options(options)),
      step_(context_, model_, *loss_, *optimizer_, scaler_, {options.clip_norm, options.clip_value}),
      batcher_(train, batch_rows(options, train), machine.executor->threads()),
      schedule_{options.schedule, options.lr, options.warmup, planned_steps_of(options, train)},
      log_(options.metrics) {
  model_.initialise(options.seed, *machine.kernels);
}

std::int64_t Trainer::memory_bytes() const {
  const std::size_t data = train_.x.size() * sizeof(float) + train_.bytes.size();
  const std::size_t scratch =
      static_cast<std::size_t>(machine_.executor->threads()) * GemmContext::kWorkerFloats * sizeof(float);
  return static_cast<std::int64_t>(model_.memory_bytes() + optimizer_->memory_bytes() + data + scratch);
}

StepReport Trainer::one_step(std::span<const std::uint32_t> rows) {
  batcher_.load(context_, rows, model_.input());
  // Two clocks: the rate follows the applied steps, so a skipped one does not use it up.
  return step_.run(rows.size(), batcher_.targets(), schedule_.at(steps_.applied));
}

void Trainer::count(const StepReport& report) {
  ++steps_.attempted;
  if (report.applied) {
    ++steps_.applied;
    skipped_in_a_row_ = 0;
    return;
  }
  ++steps_.skipped;
  ++skipped_in_a_row_;
  const std::string cause =
      std::isfinite(report.loss) ? "non-finite gradient of " + report.first_bad : std::string("non-finite loss");
  ++skip_reasons_[cause + " at loss scale " + plain(report.loss_scale)];
  if (scaler_.at_minimum() && skipped_in_a_row_ >= kHopelessSkips) give_up(report);
}

void Trainer::give_up(const StepReport& report) const {
  const std::string scale = "loss scale " + plain(report.loss_scale);
  throw Error(
      Status::diverged,
      {.what = "training diverged",
       .where = "step " + std::to_string(steps_.attempted) + (report.first_bad.empty() ? "" : ", " + report.first_bad),
       .why = std::to_string(skipped_in_a_row_) + " steps in a row had a non-finite " +
              (std::isfinite(report.loss) ? "gradient" : "loss") + " at " + scale + ", and a smaller scale cannot help",
       .kept = "no weight was changed by a skipped step; no model was written",
       .hint = advice()});
}

std::string Trainer::advice() const {
  if (!scaler_.dynamic() && scaler_.scale() > 1) return "--loss-scale dynamic, or a smaller scale";
  const std::string rate = "a smaller --lr than " + plain(options_.lr);
  if (options_.precision == Dtype::fp16) return rate + ", --clip-norm 1, or --precision bf16, which has fp32's range";
  return rate + ", or --clip-norm 1";
}

bool Trainer::run_epoch(std::int64_t epoch, const TrainObserver& observer, TrainResult& result) {
  const auto start = std::chrono::steady_clock::now();
  const std::size_t batch = model_.shape().max_rows;
  const std::vector<std::uint32_t> order =
      data::epoch_order(train_.rows, options_.seed, static_cast<std::uint64_t>(epoch));
  auto last_progress = start;
  double loss_sum = 0;
  std::size_t seen = 0;
  StepReport report;
  bool stop = false;
  for (std::size_t first = 0; first < train_.rows && !stop; first += batch) {
    const std::size_t rows = std::min(batch, train_.rows - first);
    report = one_step({order.data() + first, rows});
    loss_sum += report.loss * static_cast<double>(rows);
    seen += rows;
    count(report);
    stop = steps_.attempted >= schedule_.steps;
    if (observer.should_stop && observer.should_stop()) result.stopped = stop = true;
    if (observer.on_progress && seconds_since(last_progress) > 0.1) {
      last_progress = std::chrono::steady_clock::now();
      observer.on_progress(steps_.attempted, schedule_.steps, report.loss);
    }
  }
  const double seconds = seconds_since(start);
  EpochReport e;
  e.epoch = epoch + 1;
  e.epochs = options_.steps > 0 ? 0 : planned_epochs(options_, train_);
  e.steps = steps_;
  e.train_loss = loss_sum / static_cast<double>(seen);
  e.lr = schedule_.at(steps_.applied > 0 ? steps_.applied - 1 : 0);
  e.loss_scale = scaler_.scale();
  e.grad_norm = report.grad_norm;
  e.samples_per_s = static_cast<double>(seen) / seconds;
  result.samples_per_s += static_cast<double>(seen);
  result.seconds += seconds;
  result.train.loss = e.train_loss;
  result.train.rows = static_cast<std::int64_t>(train_.rows);
  if (eval_) {
    e.has_eval = true;
    e.eval = result.eval = measure(context_, model_, *eval_, *loss_, problem_.meaning);
  }
  json::Object line = {{"epoch", e.epoch},
                       {"step", e.steps.attempted},
                       {"applied", e.steps.applied},
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
  for (std::int64_t epoch = 0; run_epoch(epoch, observer, result) && steps_.attempted < schedule_.steps;) ++epoch;
  result.samples_per_s /= std::max(result.seconds, 1e-9);
  result.precision = name(options_.precision);
  result.isa = machine_.kernels->name;
  result.threads = machine_.executor->threads();
  result.steps = steps_;
  result.loss_scale = scaler_.scale();
  result.train.classification = problem_.meaning.classification;
  for (const auto& [reason, steps] : skip_reasons_) {
    result.skip_reasons.push_back(std::to_string(steps) + (steps == 1 ? " step: " : " steps: ") + reason);
  }
  return result;
}

}  // namespace halfstep
