// When a run ends because of steps that were skipped.
#include "run/verdict.hpp"

#include <doctest/doctest.h>

#include "amp/step_cause.hpp"
#include "support/records.hpp"
#include "train/ledger.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using halfstep::test::record;

namespace {

// Steps after each other with one cause; the step at which the run is ended, 0: it goes on for 300 steps.
std::int64_t ends_at(StepCause cause, const GradScalerOptions& scaling, const Options& options, int skip_every = 1) {
  Ledger ledger;
  GradScaler scaler(scaling);
  for (std::int64_t step = 1; step <= 300; ++step) {
    const bool skip = step % skip_every == 0;
    const StepRecord r = record(step, skip ? StepOutcome::skipped : StepOutcome::applied,
                                skip ? cause : StepCause::none, scaler.scale());
    scaler.update(!skip, smaller_scale_helps(cause));
    ledger.add(r);
    if (verdict(r, ledger, scaler, options)) return step;
  }
  return 0;
}

TEST_CASE("verdict: a run ends when nothing can help, not before") {
  Options options;
  options.precision = Dtype::fp16;
  GradScalerOptions dynamic;
  CHECK(ends_at(StepCause::weights, dynamic, options) == 1);
  CHECK(ends_at(StepCause::forward, dynamic, options) == 20);
  CHECK(ends_at(StepCause::data, dynamic, options) == 20);
  CHECK(ends_at(StepCause::data, dynamic, options, 3) == 0);
  CHECK(ends_at(StepCause::scale, dynamic, options) == 20);  // 16 halvings to the floor
  dynamic.minimum = 0x1p-24f;
  CHECK(ends_at(StepCause::scale, dynamic, options) == 40);
  CHECK(ends_at(StepCause::scale, {.dynamic = false, .initial = 1024}, options) == 20);
  options.max_skip_rate = 1;
  CHECK(ends_at(StepCause::scale, compatible_scaler(), options) == 166);  // to zero
}

TEST_CASE("verdict: too many skips end the run") {
  Options options;
  GradScalerOptions scaling;
  scaling.minimum = 0x1p-90f;
  options.max_skip_rate = 0.2;
  CHECK(ends_at(StepCause::scale, scaling, options, 4) == 100);
  CHECK(ends_at(StepCause::scale, scaling, options, 5) == 0);
  options.max_skip_rate = 1;
  CHECK(ends_at(StepCause::scale, scaling, options, 4) == 0);

  Ledger ledger;
  const GradScaler scaler(scaling);
  options.max_skip_rate = 0.4;
  CHECK_FALSE(final_verdict(ledger, scaler, options));
  ledger.add(record(1, StepOutcome::applied));
  CHECK_FALSE(final_verdict(ledger, scaler, options));
  ledger.add(record(2, StepOutcome::skipped, StepCause::scale));
  const auto parts = final_verdict(ledger, scaler, options);
  REQUIRE(parts);
  CHECK(parts->why.find("50 % of the last 2 steps") != std::string::npos);
  options.max_skip_rate = 1;
  CHECK_FALSE(final_verdict(ledger, scaler, options));
}

}  // namespace
