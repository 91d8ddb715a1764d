// A report of a run that stopped and went on: what was collected before goes on too.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/state.hpp"
#include "halfstep/error.hpp"
#include "run/report_recorder.hpp"

namespace halfstep::internal {
namespace {

void record_steps(ReportRecorder& recorder, std::int64_t first, std::int64_t last) {
  for (std::int64_t step = first; step <= last; ++step) {
    StepRecord record;
    record.step = step;
    record.loss = step % 97 == 0 ? std::numeric_limits<double>::infinity() : std::sin(static_cast<double>(step));
    record.lr = 1.0 / static_cast<double>(step);
    if (step % 97 == 0) {
      record.outcome = StepOutcome::skipped;
      record.cause = StepCause::scale;
      record.tensors = {"layers.1.d", "layers.0.weight"};
    }
    recorder.begin_step();
    recorder.end_step(record, false);
    if (step % 10 != 0) continue;
    EpochReport epoch;
    epoch.epoch = step / 10;
    epoch.steps.attempted = step;
    epoch.train_loss = record.loss;
    epoch.best = step == 500;
    recorder.add(epoch);
  }
}

bool same_bucket(const report::Sampled::Bucket& a, const report::Sampled::Bucket& b) {
  return a.first == b.first && a.last == b.last && a.low == b.low && a.high == b.high && a.sum == b.sum &&
         a.begin == b.begin && a.end == b.end && a.finite == b.finite && a.non_finite == b.non_finite;
}

bool same_curve(const report::Sampled& a, const report::Sampled& b) {
  return std::equal(a.buckets().begin(), a.buckets().end(), b.buckets().begin(), b.buckets().end(), same_bucket);
}

}  // namespace

TEST_CASE("report recorder: saved in the middle and loaded it goes on as it would have") {
  for (const std::int64_t middle : {1, 255, 999, 15000}) {
    CAPTURE(middle);
    ReportRecorder whole, before, after;
    record_steps(whole, 1, 30000);
    record_steps(before, 1, middle);
    load_state(after, save_state(before));
    record_steps(after, middle + 1, 30000);
    const report::RunReport a = whole.take(), b = after.take();
    CHECK(same_curve(a.loss, b.loss));
    CHECK(same_curve(a.lr, b.lr));
    CHECK(same_curve(a.loss_scale, b.loss_scale));
    CHECK(a.seconds.buckets().size() == b.seconds.buckets().size());
    CHECK(a.seconds.buckets().front().last == b.seconds.buckets().front().last);
    REQUIRE(b.slowest.size() == a.slowest.size());
    CHECK(std::is_sorted(b.slowest.begin(), b.slowest.end(),
                         [](const auto& x, const auto& y) { return x.seconds > y.seconds; }));
    REQUIRE(a.epochs.size() == b.epochs.size());
    for (std::size_t i = 0; i < a.epochs.size(); ++i) CHECK(a.epochs[i].step == b.epochs[i].step);
    CHECK(b.best.step == (middle >= 500 || a.best.step == 500 ? 500 : 0));
    REQUIRE(a.incidents.size() == b.incidents.size());
    for (std::size_t i = 0; i < a.incidents.size(); ++i) {
      CHECK(a.incidents[i].step == b.incidents[i].step);
      CHECK(a.incidents[i].tensors == b.incidents[i].tensors);
    }
  }
}

TEST_CASE("report recorder: numbers that no run has are not taken") {
  ReportRecorder recorder;
  record_steps(recorder, 1, 5);
  State state = save_state(recorder);
  for (StateEntry& e : state.entries) {
    if (e.name == "loss.buckets.values") std::fill(e.bytes.begin(), e.bytes.end(), std::byte{0x7f});
  }
  ReportRecorder other;
  load_state(other, state);
  record_steps(other, 6, 9);
  const report::RunReport taken = other.take();
  REQUIRE(taken.loss.buckets().size() == 4);
  CHECK(taken.loss.buckets()[0].first == 6);
  for (StateEntry& e : state.entries) {
    if (e.name != "epochs.count") continue;
    const std::int64_t many = 5000;
    std::copy_n(reinterpret_cast<const std::byte*>(&many), sizeof many, e.bytes.begin());
  }
  CHECK_THROWS_AS(load_state(other, state), Error);
}

}  // namespace halfstep::internal
