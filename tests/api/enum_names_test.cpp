// Names of enumerators: one table for writing and for reading.
#include "halfstep/enum_names.hpp"

#include <doctest/doctest.h>

#include <set>

#include "halfstep/bench.hpp"
#include "halfstep/incident.hpp"
#include "halfstep/ledger.hpp"
#include "halfstep/types.hpp"

namespace halfstep::internal {
namespace {

// The last enumerator, so that a name that is missing or one too many shows.
template <Named E>
void check_names(E last) {
  std::set<std::string_view> seen;
  const std::size_t count = static_cast<std::size_t>(last) + 1;
  CHECK(kEnumNames<E>.size() == count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = static_cast<E>(i);
    CAPTURE(name(value));
    CHECK_FALSE(name(value).empty());
    CHECK(from_name<E>(name(value)) == value);
    seen.insert(name(value));
  }
  CHECK(seen.size() == count);
  CHECK_FALSE(from_name<E>(""));
  CHECK_FALSE(from_name<E>(std::string(name(last)) + " "));
  CHECK(name(static_cast<E>(count)).empty());
}

TEST_CASE("names: each enumerator has one of its own, and is found by it") {
  check_names(Dtype::fp16);
  check_names(Activation::selu);
  check_names(Norm::batch);
  check_names(LossKind::mae);
  check_names(OptimizerKind::muon);
  check_names(MasterKind::stochastic);
  check_names(ScheduleKind::coslog);
  check_names(Math::native);
  check_names(Task::regress);
  check_names(StepOutcome::skipped);
  check_names(StepCause::unscale);
  check_names(IncidentReason::unscale);
  check_names(StepStage::update);
  check_names(Product::weight_gradient);
  check_names(KernelPlace::memory);
}

TEST_CASE("names: those that files and flags are written with") {
  CHECK(name(Dtype::bf16) == "bf16");
  CHECK(name(Activation::gelu_tanh) == "gelu_tanh");
  CHECK(name(LossKind::binary_cross_entropy) == "binary_cross_entropy");
  CHECK(name(Norm::rms) == "rms");
  CHECK(name(Task::automatic) == "auto");
  CHECK(name(Product::input_gradient) == "dgrad");
}

}  // namespace
}  // namespace halfstep::internal
