#include "train/ledger.hpp"

#include <doctest/doctest.h>

#include "amp/step_cause.hpp"
#include "run/verdict.hpp"

using namespace halfstep;

namespace {

StepRecord record(std::int64_t step, StepOutcome outcome, StepCause cause = StepCause::none, double scale = 1024,
                  const char* tensor = "layers.1.d") {
  StepRecord r;
  r.step = step;
  r.outcome = outcome;
  r.cause = cause;
  if (cause != StepCause::none) r.tensors = {tensor};
  r.loss_scale = scale;
  return r;
}

TEST_CASE("ledger: counts, and one entry for each outcome, cause and tensor") {
  Ledger ledger;
  ledger.add(record(1, StepOutcome::skipped, StepCause::scale, 65536));
  ledger.add(record(2, StepOutcome::skipped, StepCause::scale, 32768));
  ledger.add(record(3, StepOutcome::applied));
  ledger.add(record(4, StepOutcome::retried, StepCause::scale));
  ledger.add(record(5, StepOutcome::skipped, StepCause::data, 1024, "input"));
  ledger.add(record(6, StepOutcome::skipped, StepCause::scale, 1024));
  const StepCounts& counts = ledger.counts();
  CHECK(counts.attempted == 6);
  CHECK(counts.applied == 2);
  CHECK(counts.retried == 1);
  CHECK(counts.skipped == 4);
  CHECK(ledger.skipped_in_a_row() == 2);
  REQUIRE(ledger.entries().size() == 3);
  const LedgerEntry& first = ledger.entries().front();
  CHECK(first.steps == 3);
  CHECK(first.first == 1);
  CHECK(first.last == 6);
  CHECK(first.least_loss_scale == 1024);
  CHECK(first.most_loss_scale == 65536);
  CHECK(text(first) ==
        "3 steps skipped (1 to 6): a scaled gradient is non-finite in the storage type, first in layers.1.d, at loss "
        "scale 65536 to 1024");
  CHECK(text(ledger.entries()[2]) ==
        "1 step skipped (5): an input is non-finite in the storage type, first in input, at loss scale 1024");
}

TEST_CASE("ledger: the rate of skips looks at the last hundred steps") {
  Ledger ledger;
  CHECK(ledger.skip_rate() == 0);
  ledger.add(record(1, StepOutcome::skipped, StepCause::scale));
  CHECK(ledger.skip_rate() == 1);
  for (int i = 2; i <= 100; ++i) ledger.add(record(i, StepOutcome::applied));
  CHECK(ledger.skip_rate() == doctest::Approx(0.01));
  ledger.add(record(101, StepOutcome::applied));
  CHECK(ledger.skip_rate() == 0);
}

TEST_CASE("causes: the earliest counts, and only what comes after the scale can be scaled away") {
  StepFacts facts;
  CHECK(cause_of(facts) == StepCause::none);
  struct {
    bool StepFacts::*fact;
    StepCause cause;
    bool helps;
  } const order[] = {
      {&StepFacts::unscaled, StepCause::unscale, false}, {&StepFacts::gradients, StepCause::gradient, true},
      {&StepFacts::d, StepCause::scale, true},           {&StepFacts::loss, StepCause::loss, false},
      {&StepFacts::forward, StepCause::forward, false},  {&StepFacts::weights, StepCause::weights, false},
      {&StepFacts::data, StepCause::data, false}};
  for (const auto& step : order) {
    facts.*step.fact = false;
    CHECK(cause_of(facts) == step.cause);
    CHECK(smaller_scale_helps(step.cause) == step.helps);
  }
}

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
