#include "cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "cli/metrics_text.hpp"
#include "halfstep/types.hpp"

namespace halfstep::cli {
namespace {

constexpr std::chrono::seconds kBetweenLines{1};

std::string epoch_text(const EpochReport& report, MetricKind metric, bool verbose) {
  std::string text = "epoch " + std::to_string(report.epoch);
  if (report.epochs > 0) text += "/" + std::to_string(report.epochs);  // 0: the run is counted in steps
  text += "  train loss " + brief(report.train_loss);
  const double calibrated = report.eval.calibrated_loss;
  if (calibrated == calibrated) metric = MetricKind::calibrated_loss;  // which says what is best so far
  if (report.has_eval) text += "  eval " + metrics_text(report.eval, metric);
  text += "  lr " + brief(report.lr) + "  " + brief(report.samples_per_s) + " samples/s";
  if (verbose || report.loss_scale != 1) text += "  loss scale " + brief(report.loss_scale);
  if (verbose || report.steps.skipped > 0) {
    text += "  skipped " + std::to_string(report.skipped);
    if (report.steps.skipped != report.skipped) text += " (" + std::to_string(report.steps.skipped) + " so far)";
  }
  if (verbose) text += "  grad norm " + brief(report.grad_norm);
  return text;
}

// "9 s", "3 min 20 s", "2 h 5 min".
std::string duration_text(double seconds) {
  if (!(seconds < 1e9)) return "long";
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  if (whole < 60) return std::to_string(whole) + " s";
  if (whole < 3600) return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
  return std::to_string(whole / 3600) + " h " + std::to_string(whole % 3600 / 60) + " min";
}

std::string progress_text(const ProgressReport& p) {
  std::string text = "epoch " + std::to_string(p.epoch);
  if (p.epochs > 0) text += "/" + std::to_string(p.epochs);
  text += "  step " + std::to_string(p.counts.attempted) + "/" + std::to_string(p.steps);
  if (p.steps > 0) text += " (" + std::to_string(p.counts.attempted * 100 / p.steps) + "%)";
  text +=
      "  " + brief(p.samples_per_s) + " samples/s  " + duration_text(p.seconds_left) + " left  loss " + brief(p.loss);
  if (p.loss_scale != 1) text += "  loss scale " + brief(p.loss_scale);
  if (p.counts.skipped > 0) text += "  skipped " + std::to_string(p.counts.skipped);
  return text;
}

}  // namespace

Progress::Progress(Narrator& narrator, const Options& options, bool verbose)
    : narrator_(narrator),
      metric_(from_name<MetricKind>(options.metric).value_or(MetricKind::loss)),
      verbose_(verbose) {}

Progress::~Progress() {
  try {
    say_kept();
    narrator_.clear();
  } catch (...) {  // there is no memory for it
  }
}

void Progress::epoch(const EpochReport& report) {
  const Time::time_point now = Time::now();
  kept_ = report;
  const bool due = verbose_ || !said_ || now - *said_ >= kBetweenLines || report.epoch == report.epochs;
  if (!due) return;
  say_kept();
  said_ = now;
}

void Progress::within_epoch(const ProgressReport& report) { narrator_.progress(progress_text(report)); }

void Progress::checkpoint(const CheckpointReport& report) {
  if (!verbose_) return;
  say_kept();
  const auto bytes = static_cast<double>(report.bytes);
  narrator_.line("checkpoint of step " + std::to_string(report.step) + ": " + report.path + ", " + brief(bytes / 1e6) +
                 " MB in " + brief(report.seconds) + " s");
}

void Progress::warning(const std::string& text) {
  say_kept();  // what was said before it happened before it
  narrator_.warning(text);
}

void Progress::incident(const Incident& incident) {
  // A scale that is found by trial is no news.
  if (incident.reason == IncidentReason::loss_scale && incident.capsule.empty() && !verbose_) return;
  say_kept();
  const std::string words = halfstep::text(incident);
  for (std::size_t begin = 0; begin < words.size();) {
    const std::size_t end = words.find('\n', begin);
    narrator_.line(words.substr(begin, end - begin));
    begin = end + 1;
  }
}

void Progress::say_kept() {
  if (const auto report = std::exchange(kept_, std::nullopt)) narrator_.line(epoch_text(*report, metric_, verbose_));
}

}  // namespace halfstep::cli
