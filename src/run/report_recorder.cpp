#include "run/report_recorder.hpp"

#include <algorithm>
#include <utility>

namespace halfstep::internal {
namespace {

constexpr std::size_t kMostIncidents = 200;
constexpr std::size_t kMostTensorsOfIncident = 8;
constexpr std::size_t kMostMeters = 40;
constexpr std::size_t kMostEpochs = 1024;
constexpr std::size_t kSlowest = 6;

// Every other one goes.
template <class T>
void thin(std::vector<T>& values) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    if (kept != i) values[kept] = std::move(values[i]);
    ++kept;
  }
  values.resize(kept);
}

report::EpochPoint point_of(const EpochReport& e) {
  report::EpochPoint point;
  point.epoch = e.epoch;
  point.step = e.steps.attempted;
  point.train_loss = e.train_loss;
  point.lr = e.lr;
  point.loss_scale = e.loss_scale;
  point.grad_norm = e.grad_norm;
  point.samples_per_s = e.samples_per_s;
  for (std::size_t i = 0; i < report::kMetrics; ++i) {
    const auto kind = static_cast<MetricKind>(i);
    point.eval[i] = e.has_eval && applies_to(kind, e.eval.classification) ? value_of(e.eval, kind) : report::kNan;
  }
  return point;
}

}  // namespace

void ReportRecorder::end_step(const StepRecord& record, bool metered) {
  const double seconds = std::chrono::duration<double>(Time::now() - begun_).count();
  report_.loss.add(record.step, record.loss);
  report_.lr.add(record.step, record.lr);
  report_.grad_norm.add(record.step, record.grad_norm);
  report_.loss_scale.add(record.step, record.loss_scale);
  (metered ? metered_seconds_ : plain_seconds_) += seconds;
  ++(metered ? metered_steps_ : plain_steps_);
  if (!metered) report_.seconds.add(record.step, seconds);
  add_slow({record.step, seconds, metered});
  if (record.outcome == StepOutcome::applied || report_.incidents.size() == kMostIncidents) return;
  report_.incidents.push_back(record);
  auto& tensors = report_.incidents.back().tensors;
  if (tensors.size() > kMostTensorsOfIncident) tensors.resize(kMostTensorsOfIncident);
}

void ReportRecorder::add_slow(const report::SlowStep& step) {
  auto& slowest = report_.slowest;
  if (slowest.size() == kSlowest && step.seconds <= slowest.back().seconds) return;
  const auto at = std::find_if(slowest.begin(), slowest.end(),
                               [&](const report::SlowStep& other) { return other.seconds < step.seconds; });
  slowest.insert(at, step);
  if (slowest.size() > kSlowest) slowest.pop_back();
}

void ReportRecorder::add(const MeterReport& report) {
  if (meters_seen_++ % meter_stride_ != 0) return;
  if (report_.meters.size() == kMostMeters) {
    thin(report_.meters);
    meter_stride_ *= 2;
    if ((meters_seen_ - 1) % meter_stride_ != 0) return;
  }
  report_.meters.push_back(report);
}

void ReportRecorder::add(const EpochReport& report) {
  report::EpochPoint point = point_of(report);
  if (report.best) report_.best = point;
  if (epochs_seen_++ % epoch_stride_ != 0) return;
  if (report_.epochs.size() == kMostEpochs) {
    thin(report_.epochs);
    epoch_stride_ *= 2;
    if ((epochs_seen_ - 1) % epoch_stride_ != 0) return;
  }
  report_.epochs.push_back(std::move(point));
}

report::RunReport ReportRecorder::take() {
  const double plain = plain_steps_ > 0 ? plain_seconds_ / static_cast<double>(plain_steps_) : 0;
  report_.seconds_of_meters = std::max(0.0, metered_seconds_ - static_cast<double>(metered_steps_) * plain);
  return std::move(report_);
}

}  // namespace halfstep::internal
