#include "run/precision_choice.hpp"

#include <algorithm>
#include <cmath>

#include "doctor/fp16_plan.hpp"
#include "halfstep/text.hpp"
#include "run/precision.hpp"
#include "run/scaling.hpp"

namespace halfstep::internal {
namespace {

// Of two that are as fast as each other, within what a measurement can tell, the one that loses less is better.
constexpr double kFaster = 1.03;

void to_default(Options& options, const std::string& name) { set_option(options, name, get_option(Options{}, name)); }

Options with_precision(Options options, Dtype precision, const std::vector<LayerPrecision>& lift, double scale) {
  options.auto_precision = false;
  options.precision = precision;
  options.layer_precision = lift;
  if (!stores(options, Dtype::fp16)) {
    for (const std::string& name : parameters_of_scale()) to_default(options, name);
  } else if (scaler_options(options).dynamic || options.loss_scale == "headroom") {
    options.scale_init = 0;
    if (static_cast<double>(scaler_options(options).initial) != scale) options.scale_init = scale;
  } else {
    options.loss_scale = number_text(scale);
  }
  if (!stores(options, Dtype::fp16) && !stores(options, Dtype::bf16)) to_default(options, "master");
  return options;
}

// "--precision fp16 --scale-init 4096"
std::string flags_text(const Options& options) {
  std::string text;
  for (const std::string& name : parameters_of_precision()) {
    const std::string value = get_option(options, name);
    if (value == get_option(Options{}, name) && name != "precision") continue;
    text += (text.empty() ? "--" : " --") + name + " " + value;
  }
  return text;
}

void add_losses(Preflight& report) {
  const int bits = std::ilogb(report.loss_scale);
  for (PreflightTensor& t : report.tensors) {
    t.fp16 = storage_loss(t.wide, Dtype::fp16, t.gradient ? bits : 0);
    t.unscaled = storage_loss(t.wide, Dtype::fp16);
    t.bf16 = storage_loss(t.wide, Dtype::bf16, t.gradient ? bits : 0);
  }
}

// The fastest that lost no step, and learns as fp32 does; one in 16 bits only where it is faster than fp32, and fp16
// only where it is faster than bf16. None: no trial was without a skipped step.
std::size_t best_of(const std::vector<PreflightTrial>& trials) {
  std::size_t best = trials.size();
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (trials[i].skipped > 0 || learns_less(trials, trials[i])) continue;
    if (best == trials.size() || trials[i].speedup > kFaster * trials[best].speedup) best = i;
  }
  return best;
}

std::string times(double speedup) { return short_number(speedup, 3) + " times the speed of fp32"; }

std::string why_of(const std::vector<PreflightTrial>& trials, const PreflightTrial& best) {
  const std::string steps = std::to_string(best.steps) + " steps with it were finite, and none was skipped";
  if (best.precision == Dtype::fp32) {
    std::string others;
    for (const PreflightTrial& t : trials) {
      if (t.precision == Dtype::fp32) continue;
      others += (others.empty() ? "" : " and ") + std::string(name(t.precision)) +
                (t.skipped > 0            ? " skips steps"
                 : learns_less(trials, t) ? " learns less"
                                          : " runs at " + short_number(t.speedup, 3) + " of its speed");
    }
    return "nothing in 16 bits is faster and as good for this network here: " + others + "; " + steps;
  }
  return "a step runs at " + times(best.speedup) + " here; " + steps;
}

// What no parameter but `changes` differs in.
void recommend(const Options& given, const PreflightTrial& best, PrecisionChoice& out) {
  out.report.flags = best.flags;
  out.report.why = why_of(out.report.trials, best);
  for (const std::string& name : parameters_of_precision()) {
    const std::string value = get_option(out.options, name);
    if (name == "precision" || value != get_option(given, name)) out.report.changes.emplace_back(name, value);
  }
}

// Inputs, and some steps in fp32.
void measure(const RunToTry& run, const TryBounds& bounds, PrecisionChoice& out) {
  Preflight& report = out.report;
  InputColumns inputs = input_columns(run.prepared, *run.machine.kernels);
  WideSteps wide = measure_wide(run, bounds);
  report.model = wide.model;
  report.machine = run.machine.description;
  report.steps = wide.steps;
  report.finite = wide.failure.empty();
  out.layers = wide.layers;
  out.extremes = std::move(inputs.extremes);
  report.rows_read = inputs.rows;
  report.tensors = std::move(wide.tensors);
  report.tensors.insert(report.tensors.begin(), std::move(inputs.tensor));
  report.notes = run.prepared.notes;
  if (!report.finite) {
    report.why = "no precision can help, the steps are not finite in fp32 either: " + wide.failure;
    return;
  }
  Fp16Plan plan = plan_fp16(report.tensors, wide.layers, run.options.scale_min, run.options.scale_max);
  report.loss_scale = plan.loss_scale;
  report.lift = std::move(plan.lift);
  add_losses(report);
}

void try_precisions(const RunToTry& run, const TryBounds& bounds, PrecisionChoice& out) {
  Preflight& report = out.report;
  // fp16 that keeps no layer is tried as it is, to show what it would be.
  const bool suits = report.lift.size() < out.layers;
  const std::vector<Options> tried = {
      with_precision(run.options, Dtype::fp32, {}, 1), with_precision(run.options, Dtype::bf16, {}, 1),
      with_precision(run.options, Dtype::fp16, suits ? report.lift : std::vector<LayerPrecision>(), report.loss_scale)};
  report.trials = try_each(run, tried, bounds);
  for (std::size_t i = 0; i < tried.size(); ++i) report.trials[i].flags = flags_text(tried[i]);
  std::vector<PreflightTrial> fit = report.trials;
  if (!suits) fit.pop_back();
  if (const std::size_t best = best_of(fit); best < fit.size()) {
    out.options = tried[best];
    recommend(run.options, fit[best], out);
  } else {
    report.why = "each precision skipped steps, fp32 too: halfstep doctor explains the capsule that such a run leaves";
  }
}

}  // namespace

bool learns_less(const std::vector<PreflightTrial>& trials, const PreflightTrial& trial) {
  constexpr double kClearly = 1.25;
  return !(trial.loss <= kClearly * trials.front().loss);  // and where it is NaN
}

PrecisionChoice choose_precision(const RunToTry& run, const TryBounds& bounds) {
  PrecisionChoice out = {{}, run.options, 0, {}};
  const TryBounds half = {bounds.steps, bounds.seconds / 2};
  measure(run, half, out);
  if (out.report.finite) try_precisions(run, half, out);
  return out;
}

}  // namespace halfstep::internal
