// The job that explains: what is wrong with a step, a run or a model.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "doctor/advice.hpp"
#include "doctor/bisect.hpp"
#include "doctor/replay.hpp"
#include "doctor/row_gradients.hpp"
#include "doctor/signals.hpp"
#include "doctor/storage_forecast.hpp"
#include "doctor/watch.hpp"
#include "halfstep/diagnosis.hpp"
#include "halfstep/error.hpp"
#include "halfstep/text.hpp"
#include "report/metrics_file.hpp"
#include "run/capsule_file.hpp"
#include "run/data_words.hpp"
#include "run/machine.hpp"
#include "run/meter_json.hpp"
#include "run/metrics_text.hpp"
#include "text/json.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::size_t kRowsShown = 8;
constexpr double kMuchOfGradient = 0.5;

// What is wrong with single rows, where one weighs as much as all others.
void add_rows(Diagnosis& d) {
  for (const RowGradient& row : d.rows) {
    if (row.share < kMuchOfGradient || d.rows.size() < 4) continue;
    const std::string where = row.place.empty() ? "row " + std::to_string(row.row) + " of the step" : row.place;
    d.findings.push_back(where + (std::isinf(row.norm) ? " has a gradient that is not finite"
                                                       : " makes " + short_number(100 * row.share, 3) +
                                                             " % of the step's gradient: look at that row"));
  }
}

// In fp32, where a value that the step lost is still a number.
void add_evidence(const Capsule& capsule, const Machine& machine, Diagnosis& d) {
  ModelSpec wide = capsule.model;
  wide.precision = Dtype::fp32;
  wide.layer_precision.clear();
  Rerun rerun(capsule, wide, *machine.kernels, *machine.executor);
  StepMeter meter(rerun.network());
  rerun.run(capsule.loss_scale, &meter);
  Rerun recorded(capsule, capsule.model, *machine.kernels, *machine.executor);
  recorded.run();
  rerun.hold(recorded.held().index);
  d.rows = row_gradients(rerun, kRowsShown);
  d.rows_are_exact = capsule.model.norm != Norm::batch;
  d.meters.step = capsule.clock.attempted + 1;
  d.meters.loss_scale = static_cast<double>(capsule.loss_scale);
  for (const TensorMeter& m : meter.report().tensors) {
    d.meters.tensors.push_back(forecast(m, storage_of(recorded.network(), m.tensor)));
  }
}

Diagnosis of_capsule(const io::File& file, const std::string& path, const Options& options) {
  const SavedCapsule saved = capsule_of(file, path);
  const Capsule& capsule = saved.capsule;
  const Machine machine(options);
  Diagnosis d;
  d.kind = "capsule";
  d.healthy = false;
  d.incident = examine(capsule, data_words(saved.model.preprocessor), *machine.kernels, *machine.executor);
  d.incident.capsule = path;
  d.replay = replay_step(capsule, *machine.kernels, *machine.executor);
  d.bisection = bisect(capsule, *machine.kernels, *machine.executor);
  add_evidence(capsule, machine, d);
  d.findings.push_back(d.incident.why + (d.incident.advice.empty() ? "" : ": " + d.incident.advice));
  d.findings.push_back(d.bisection.text);
  if (!d.replay.same_bits) {
    d.findings.push_back(
        "run again here, the step has other bits than it had: was it --math native, or another version?");
  }
  if (const std::string kept = what_is_kept(capsule); !kept.empty()) d.findings.push_back(kept);
  add_rows(d);
  for (std::string& finding : meter_findings(d.meters)) d.findings.push_back(std::move(finding));
  return d;
}

Diagnosis of_model(const io::File& file, const std::string& path, const Options& options) {
  const SavedModel model = model_of(file, path);
  const Machine machine(options);
  Diagnosis d;
  d.kind = "model";
  d.findings = weight_findings(model.tensors, model.spec.precision);
  for (const NamedTensor& t : model.tensors) {
    d.meters.tensors.push_back(meter_of(t, t.shape.size() == 2 ? model.spec.precision : Dtype::fp32, *machine.kernels));
  }
  d.meters.step = model.step;
  d.healthy = d.findings.empty();
  return d;
}

void add_ledger(const report::MetricsFile& metrics, Diagnosis& d) {
  const StepCounts& steps = metrics.steps;
  if (steps.skipped > 0) {
    std::vector<std::pair<StepCause, std::int64_t>> causes;
    for (const StepRecord& r : metrics.incidents) {
      if (r.outcome != StepOutcome::skipped) continue;
      auto found = std::find_if(causes.begin(), causes.end(), [&](const auto& c) { return c.first == r.cause; });
      if (found == causes.end()) found = causes.insert(causes.end(), {r.cause, 0});
      ++found->second;
    }
    for (const auto& [cause, count] : causes) {
      const bool routine = cause == StepCause::scale || cause == StepCause::gradient;
      d.findings.push_back(std::to_string(count) + " steps were skipped: " + std::string(explain(cause)) +
                           (routine ? "; a dynamic loss scale finds its size so, --loss-scale headroom without a loss"
                                    : "; the run names the row and the reason, and keeps the step in a capsule"));
      d.healthy = d.healthy && routine;
    }
  }
  const auto broken = std::find_if(metrics.epochs.begin(), metrics.epochs.end(),
                                   [](const report::EpochPoint& e) { return !std::isfinite(e.train_loss); });
  if (broken != metrics.epochs.end()) {
    d.findings.push_back("epoch " + std::to_string(broken->epoch) +
                         " has no finite loss: none of its steps was applied");
    d.healthy = false;
  }
  const double first = metrics.epochs.front().train_loss, last = metrics.epochs.back().train_loss;
  if (last > 2 * first) {
    d.findings.push_back("the loss rose from " + short_number(first) + " to " + short_number(last) +
                         ": a smaller --lr; halfstep lr looks for one");
    d.healthy = false;
  }
}

Diagnosis of_metrics(const std::string& path) {
  const std::string text = read_metrics_text(path);
  const report::MetricsFile metrics = report::read_metrics(path, text);
  Diagnosis d;
  d.kind = "metrics";
  add_ledger(metrics, d);
  bool metered = false;
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    if (line.find("\"event\":\"meter\"") == std::string_view::npos) continue;
    d.meters = meter_of_line(json::parse(line));
    metered = true;
  }
  const std::vector<std::string> lost = meter_findings(d.meters);
  d.healthy = d.healthy && lost.empty();
  d.findings.insert(d.findings.end(), lost.begin(), lost.end());
  if (!metered) d.findings.push_back("what rounding loses is not in it: --meter-every 100 writes that too");
  return d;
}

bool is_json(const std::string& path) {
  char first = 0;
  if (std::FILE* const file = std::fopen(path.c_str(), "rb")) {
    if (std::fread(&first, 1, 1, file) != 1) first = 0;
    (void)std::fclose(file);
  }
  return first == '{';
}

}  // namespace

Diagnosis diagnose(const std::string& path, const Options& options) {
  if (is_json(path)) return of_metrics(path);
  const io::File file = io::read_safetensors(path);
  return is_capsule(file) ? of_capsule(file, path, options) : of_model(file, path, options);
}

Replay replay(const std::string& path, const Options& options) {
  const SavedCapsule saved = load_capsule(path);
  const Machine machine(options);
  return replay_step(saved.capsule, *machine.kernels, *machine.executor);
}

}  // namespace halfstep
