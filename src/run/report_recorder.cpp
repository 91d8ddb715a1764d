#include "run/report_recorder.hpp"

#include <algorithm>
#include <type_traits>
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

// A vector of plain numbers, in an array as long as it may get: what a checkpoint has does not depend on how far it is.
template <class T>
void visit_padded(StateVisitor& visitor, const char* name, std::vector<T>& values, std::size_t most) {
  static_assert(std::is_trivially_copyable_v<T>);
  const StateVisitor::Group group(visitor, name);
  std::size_t count = values.size();
  visitor.value("count", count, static_cast<std::int64_t>(most) + 1);
  values.resize(count);
  std::vector<T> padded(most);
  std::copy(values.begin(), values.end(), padded.begin());
  visitor.array("values", StateType::bytes, padded);
  std::copy_n(padded.begin(), count, values.begin());
}

bool is_possible(const report::Sampled::Bucket& b) {
  const auto possible = [](std::int64_t count) { return count >= 0 && count < kMostCount; };
  return possible(b.first) && possible(b.last) && possible(b.finite) && possible(b.non_finite);
}

void visit_sampled(StateVisitor& visitor, const char* name, report::Sampled& sampled) {
  const StateVisitor::Group group(visitor, name);
  std::vector<report::Sampled::Bucket> buckets = sampled.buckets();
  std::int64_t width = sampled.width();
  visitor.value("width", width);
  visit_padded(visitor, "buckets", buckets, report::Sampled::kMost);
  if (!std::all_of(buckets.begin(), buckets.end(), is_possible)) buckets.clear();
  sampled.restore(std::move(buckets), std::max<std::int64_t>(width, 1));
}

void visit_incident(StateVisitor& visitor, StepRecord& record) {
  visitor.value("step", record.step);
  visitor.value("applied", record.applied);
  visitor.value("outcome", record.outcome, static_cast<std::int64_t>(StepOutcome::skipped) + 1);
  visitor.value("cause", record.cause, static_cast<std::int64_t>(StepCause::unscale) + 1);
  visitor.list("tensors", record.tensors, [&](std::string& tensor) { visitor.text("name", tensor); });
  visitor.number("loss", record.loss);
  visitor.number("lr", record.lr);
  visitor.number("loss_scale", record.loss_scale);
  visitor.number("grad_norm", record.grad_norm);
  visitor.value("reruns", record.reruns);
}

void visit_slow(StateVisitor& visitor, report::SlowStep& step) {
  visitor.value("step", step.step);
  visitor.number("seconds", step.seconds);
  visitor.value("metered", step.metered, 2);
}

}  // namespace

void ReportRecorder::visit_state(StateVisitor& visitor) {
  visit_sampled(visitor, "loss", report_.loss);
  visit_sampled(visitor, "lr", report_.lr);
  visit_sampled(visitor, "grad_norm", report_.grad_norm);
  visit_sampled(visitor, "loss_scale", report_.loss_scale);
  visit_sampled(visitor, "seconds", report_.seconds);
  visitor.list("slowest", report_.slowest, [&](report::SlowStep& step) { visit_slow(visitor, step); });
  if (report_.slowest.size() > kSlowest) report_.slowest.resize(kSlowest);
  visit_padded(visitor, "epochs", report_.epochs, kMostEpochs);
  visitor.value("epoch_stride", epoch_stride_);
  visitor.value("epochs_seen", epochs_seen_);
  epoch_stride_ = std::max<std::int64_t>(epoch_stride_, 1);
  std::vector<report::EpochPoint> best = {report_.best};
  visit_padded(visitor, "best", best, 1);
  if (!best.empty()) report_.best = best.front();
  visitor.list("incidents", report_.incidents, [&](StepRecord& record) { visit_incident(visitor, record); });
}

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
