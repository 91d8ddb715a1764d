#include "train/ledger.hpp"

#include <doctest/doctest.h>

#include "amp/step_cause.hpp"
#include "support/records.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using halfstep::test::record;

namespace {

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

}  // namespace
