// The learning rate by the applied step.
#include "optim/schedule.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace halfstep::internal {

TEST_CASE("schedule: a warmup, then constant, linear or along a cosine to zero") {
  for (const ScheduleKind kind : {ScheduleKind::constant, ScheduleKind::linear, ScheduleKind::cosine}) {
    const Schedule s{.kind = kind, .lr = 0.5, .warmup = 4, .steps = 24};
    CHECK(s.at(0) == 0.125);
    CHECK(s.at(3) == 0.5);
    CHECK(s.at(4) == 0.5);
    CHECK(s.at(14) == doctest::Approx(kind == ScheduleKind::constant ? 0.5 : 0.25));
    CHECK(std::fabs(s.at(24) - (kind == ScheduleKind::constant ? 0.5 : 0)) < 1e-12);
    CHECK(s.at(1000) == s.at(24));
  }
  const Schedule cosine{.kind = ScheduleKind::cosine, .lr = 1, .warmup = 0, .steps = 6};
  CHECK(cosine.at(1) == doctest::Approx(0.5 + std::sqrt(3.0) / 4));
}

TEST_CASE("schedule: step drops at equal distances behind the warmup") {
  Schedule s{.kind = ScheduleKind::step, .lr = 1, .warmup = 10, .steps = 40, .decay = 0.5, .decays = 2};
  CHECK(s.at(19) == 1);
  CHECK(s.at(20) == 0.5);
  CHECK(s.at(29) == 0.5);
  CHECK(s.at(30) == 0.25);
  CHECK(s.at(39) == 0.25);
  CHECK(s.at(400) == 0.25);
  s.decays = 1;
  CHECK(s.at(24) == 1);
  CHECK(s.at(25) == 0.5);
}

TEST_CASE("schedule: one cycle rises over three tenths from a 25th, and falls to a ten thousandth of that") {
  const Schedule s{.kind = ScheduleKind::one_cycle, .lr = 0.01, .warmup = 0, .steps = 1000};
  CHECK(s.at(0) == doctest::Approx(0.0004));
  CHECK(s.at(150) == doctest::Approx((0.0004 + 0.01) / 2));
  CHECK(s.at(300) == doctest::Approx(0.01));
  CHECK(s.at(650) == doctest::Approx((0.01 + 4e-8) / 2));
  CHECK(s.at(1000) == doctest::Approx(4e-8));
  for (int i = 0; i < 300; ++i) CHECK(s.at(i) < s.at(i + 1));
  for (int i = 300; i < 1000; ++i) CHECK(s.at(i) > s.at(i + 1));
}

TEST_CASE("schedule: flat for the first half, then along a cosine to zero") {
  const Schedule s{.kind = ScheduleKind::flat_cosine, .lr = 0.5, .warmup = 4, .steps = 104};
  CHECK(s.at(0) == 0.125);
  CHECK(s.at(4) == 0.5);
  CHECK(s.at(53) == 0.5);
  CHECK(s.at(54) == 0.5);
  CHECK(s.at(79) == doctest::Approx(0.25));
  CHECK(std::fabs(s.at(104)) < 1e-12);
  for (int i = 54; i < 104; ++i) CHECK(s.at(i) > s.at(i + 1));
}

TEST_CASE("schedule: coslog has four cycles, each twice as long as the one before") {
  const Schedule s{.kind = ScheduleKind::coslog, .lr = 0.5, .warmup = 0, .steps = 15000};
  for (const int zero : {0, 1000, 3000, 7000, 15000}) CHECK(std::fabs(s.at(zero)) < 1e-12);
  // Halfway in its logarithm: 15 t + 1 = 2^(cycle + 1/2).
  for (int cycle = 0; cycle < 4; ++cycle) {
    const double top = 1000 * (std::exp2(cycle + 0.5) - 1);
    CHECK(s.at(static_cast<std::int64_t>(top)) == doctest::Approx(0.5).epsilon(1e-5));
  }
  CHECK(s.at(250) == doctest::Approx(0.25 * (1 - std::cos(2 * 3.14159265358979 * std::log2(1.25)))));
}

}  // namespace halfstep::internal
