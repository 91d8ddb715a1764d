#include "run/preflight_runs.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "doctor/watch.hpp"
#include "run/data_words.hpp"
#include "run/init_from.hpp"
#include "run/memory_check.hpp"
#include "run/model_text.hpp"
#include "run/spec_of.hpp"
#include "run/trainer_options.hpp"
#include "train/memory_plan.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {
namespace {

using Time = std::chrono::steady_clock;

constexpr int kLeastSteps = 3;
constexpr double kLeastSeconds =
    0.03;  // of one precision: the fastest of a few steps of some microseconds is no measure
constexpr int kMostStepsTried = 200;

double seconds_after(Time::time_point start) { return std::chrono::duration<double>(Time::now() - start).count(); }

TrainerConfig config_to_try(const RunToTry& run, const Options& options, std::int64_t meter_every) {
  TrainerConfig config = trainer_config(options, spec_of(run.prepared, options), run.prepared.train.rows);
  config.meter_every = meter_every;
  config.keeps_best = config.averages = false;
  return config;
}

std::unique_ptr<StepTrainer> trainer_of(const RunToTry& run, const TrainerConfig& config) {
  auto trainer =
      std::make_unique<StepTrainer>(*run.machine.kernels, *run.machine.executor, config, &run.prepared.train);
  if (run.start) (void)start_from(*run.start, run.prepared, *trainer, *run.machine.kernels);
  return trainer;
}

// "layers.12.output" is read by layer 13, whose type it has; so is what lies in memory before it.
std::int64_t layer_of(const std::string& tensor) {
  const std::size_t at = tensor.find("layers.");
  if (at == std::string::npos) return 0;
  const std::int64_t block = std::atoll(tensor.c_str() + at + std::strlen("layers."));
  return block + (tensor.ends_with(".output") || tensor.ends_with(".pre_activation") ? 1 : 0);
}

PreflightTensor measured_tensor(const TensorMeter& meter, std::size_t layers) {
  PreflightTensor t;
  t.tensor = meter.tensor;
  t.layer = layer_of(meter.tensor);
  t.wide = meter;
  const bool by_weights = meter.tensor.starts_with("gradient of");
  t.gradient = by_weights || meter.tensor.ends_with(".d");
  t.stored = !by_weights && static_cast<std::size_t>(t.layer) < layers;
  return t;
}

void add_counts(const TensorMeter& from, TensorMeter& to) {
  to.elements += from.elements;
  to.non_finite += from.non_finite;
  for (std::size_t i = 0; i < to.exponents.size(); ++i) to.exponents[i] += from.exponents[i];
}

void add_step(const StepTrainer& trainer, std::size_t layers, std::vector<PreflightTensor>& tensors) {
  const std::vector<TensorMeter>& meters = trainer.meter().tensors;
  for (std::size_t i = 0; i < meters.size(); ++i) {
    if (i == tensors.size()) {
      tensors.push_back(measured_tensor(meters[i], layers));
    } else {
      add_counts(meters[i], tensors[i].wide);
    }
    tensors[i].largest = std::max(tensors[i].largest, meters[i].largest);
  }
}

// As they are after the steps.
void add_weights(const Network& network, const KernelTable& kernels, std::vector<PreflightTensor>& tensors) {
  std::vector<PreflightTensor> weights;
  for (const NamedTensor& t : network.tensors()) {
    if (t.shape.size() != 2) continue;
    TensorMeter meter;
    meter.tensor = t.name;
    count_storage(kernels, t.values.size(), t.values.data(), meter);
    PreflightTensor out = measured_tensor(meter, network.blocks());
    out.largest = meter.largest;
    weights.push_back(std::move(out));
  }
  tensors.insert(tensors.begin(), weights.begin(), weights.end());
}

Options wide_options(Options options) {
  options.precision = Dtype::fp32;
  options.layer_precision.clear();
  options.loss_scale = "none";
  options.master = MasterKind::fp32;
  return options;
}

// One precision, with its figures so far.
class Trial {
 public:
  Trial(const RunToTry& run, const Options& options)
      : trainer_(trainer_of(run, config_to_try(run, options, 0))), precision_(options.precision) {}

  void step() {
    const Time::time_point start = Time::now();
    const StepRecord record = trainer_->step();
    const double took = seconds_after(start);
    seconds_ += took;
    // The first touches memory and plans its products.
    best_ = figures_.steps < 2 ? took : std::min(best_, took);
    ++figures_.steps;
    figures_.skipped += record.outcome == StepOutcome::skipped;
    figures_.loss += record.loss;
  }
  bool enough(const TryBounds& bounds, double elapsed) const {
    if (figures_.steps < kLeastSteps) return false;
    if (elapsed > bounds.seconds || figures_.steps >= kMostStepsTried) return true;
    return figures_.steps >= bounds.steps && seconds_ >= kLeastSeconds;
  }
  PreflightTrial figures() {
    PreflightTrial out = figures_;
    out.precision = precision_;
    out.native = trainer_->context().family(precision_).lhs_bytes == size_of(precision_);
    out.step_ns = 1e9 * best_;
    out.loss /= static_cast<double>(out.steps);
    // No step has seen the last update.
    if (trainer_->check_weights()) ++out.skipped;
    return out;
  }

 private:
  std::unique_ptr<StepTrainer> trainer_;
  Dtype precision_;
  PreflightTrial figures_;
  double seconds_ = 0, best_ = 0;
};

// How many fit into memory together.
std::size_t at_once(const RunToTry& run, const std::vector<Options>& options) {
  const RunShape shape =
      run_shape(config_to_try(run, options.front(), 0), memory_of(run.prepared.train), run.machine.executor->threads());
  const auto needed = static_cast<double>(total_bytes(planned_memory(shape)));
  return needed * static_cast<double>(options.size()) < static_cast<double>(memory_limit().bytes) ? options.size() : 1;
}

}  // namespace

WideSteps measure_wide(const RunToTry& run, const TryBounds& bounds) {
  const TrainerConfig config = config_to_try(run, wide_options(run.options), 1);
  check_memory(run_shape(config, memory_of(run.prepared.train), run.machine.executor->threads()));
  const std::unique_ptr<StepTrainer> trainer = trainer_of(run, config);
  WideSteps out;
  out.model = architecture_text(config.model) + ", " + std::to_string(trainer->model().elements()) + " parameters";
  out.layers = trainer->model().blocks();
  const IncidentWatch watch(
      *trainer, data_words(run.prepared.preprocessor),
      [&](std::size_t row) { return run.prepared.train_rows.text(row); },
      [&](const Incident& incident, const Capsule&) {
        if (out.failure.empty())
          out.failure = incident.why + (incident.advice.empty() ? "" : "; try " + incident.advice);
      });
  const Time::time_point start = Time::now();
  while (out.steps < bounds.steps && (out.steps < kLeastSteps || seconds_after(start) < bounds.seconds)) {
    const StepRecord record = trainer->step();
    ++out.steps;
    if (record.outcome == StepOutcome::skipped) {
      const std::string where = record.tensors.empty() ? std::string() : record.tensors.front() + ": ";
      out.failure = "step " + std::to_string(record.step) + ": " + where +
                    (out.failure.empty() ? std::string(explain(record.cause)) : out.failure);
      return out;
    }
    add_step(*trainer, out.layers, out.tensors);
  }
  if (trainer->check_weights()) {
    out.failure = "the last update left weights that are not finite; try a smaller --lr";
    return out;
  }
  add_weights(trainer->model(), *run.machine.kernels, out.tensors);
  return out;
}

std::vector<PreflightTrial> try_each(const RunToTry& run, const std::vector<Options>& options,
                                     const TryBounds& bounds) {
  std::vector<PreflightTrial> out;
  const std::size_t together = at_once(run, options);
  for (std::size_t first = 0; first < options.size(); first += together) {
    std::vector<Trial> trials;
    for (std::size_t i = first; i < std::min(options.size(), first + together); ++i)
      trials.emplace_back(run, options[i]);
    const Time::time_point start = Time::now();
    const auto done = [&](const Trial& t) { return t.enough(bounds, seconds_after(start)); };
    while (!std::all_of(trials.begin(), trials.end(), done)) {
      for (Trial& trial : trials) trial.step();
    }
    for (Trial& trial : trials) out.push_back(trial.figures());
  }
  for (PreflightTrial& trial : out) trial.speedup = out.front().step_ns / trial.step_ns;
  return out;
}

}  // namespace halfstep::internal
