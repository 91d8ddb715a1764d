// Prediction intervals against the definition of split conformal prediction, and against noise that is known.
#include "run/intervals.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.hpp"
#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {
namespace of_intervals {

TargetMisses misses(std::size_t rows, std::uint64_t stream) {
  const Rng random(7, stream);
  TargetMisses out;
  for (std::size_t i = 0; i < rows; ++i) {
    out.miss.push_back(std::fabs(static_cast<double>(random.normal(i))));
    out.spread.push_back(0);
  }
  return out;
}

// The k-th least of n with k = ceil((n + 1) * level); -1 where there is none. `level` is parts / 200.
double by_definition(std::vector<double> values, std::size_t parts) {
  const std::size_t k = ((values.size() + 1) * parts + 199) / 200;
  if (k > values.size()) return -1;
  std::sort(values.begin(), values.end());
  return values[k - 1];
}

// Noise whose deviation the members know but for a factor.
TargetMisses uneven(std::size_t rows, std::uint64_t stream) {
  const Rng random(11, stream), place(12, stream);
  TargetMisses out;
  for (std::size_t i = 0; i < rows; ++i) {
    const double sigma = 0.1 + 2 * static_cast<double>(place.uniform(i));
    out.miss.push_back(std::fabs(sigma * static_cast<double>(random.normal(i))));
    out.spread.push_back(sigma / 5);
  }
  return out;
}

double covered(const TargetIntervals& by, const TargetMisses& rows, double level) {
  const double score = by.score(level).value();
  std::size_t inside = 0;
  for (std::size_t i = 0; i < rows.miss.size(); ++i) inside += rows.miss[i] <= score * by.unit(rows.spread[i]) ? 1 : 0;
  return static_cast<double>(inside) / static_cast<double>(rows.miss.size());
}

bool refused(const std::string& text) {
  try {
    (void)intervals_from_json("m", json::parse(text));
  } catch (const Error& error) {
    return error.status() == Status::format;
  }
  return false;
}

}  // namespace of_intervals
}  // namespace

TEST_CASE("intervals: the score of a level is that of split conformal prediction, of few rows and of many") {
  for (const std::size_t rows : {1, 9, 10, 57, 199, 256, 257, 1000, 5003, 20000}) {
    CAPTURE(rows);
    const TargetMisses of = of_intervals::misses(rows, rows);
    const Intervals intervals = fit_intervals({of}, {});
    REQUIRE(intervals.any());
    CHECK(intervals.rows == static_cast<std::int64_t>(rows));
    CHECK(intervals.targets[0].scores.size() <= 400);
    for (std::size_t parts = 1; parts < 200; ++parts) {
      CAPTURE(parts);
      const double expected = of_intervals::by_definition(of.miss, parts);
      const std::optional<double> score = intervals.targets[0].score(static_cast<double>(parts) / 200);
      CHECK(score.value_or(-1) == expected);
    }
    const double most = static_cast<double>(rows) / static_cast<double>(rows + 1);
    CHECK(intervals.most() == doctest::Approx(most));
    CHECK(intervals.targets[0].score(most).value_or(-1) == *std::max_element(of.miss.begin(), of.miss.end()));
    CHECK_FALSE(intervals.targets[0].score(std::nextafter(most, 1.0) + 1e-12).has_value());
  }
}

TEST_CASE(
    "intervals: between the levels that are kept it is never less than it should be, and not half a percent more") {
  const TargetMisses of = of_intervals::misses(9000, 3);
  const Intervals intervals = fit_intervals({of}, {});
  for (double level = 0.0113; level < 0.999; level += 0.0017) {
    const double inside = of_intervals::covered(intervals.targets[0], of, level);
    CHECK(inside >= level);
    CHECK(inside <= level + 0.0055);
  }
}

TEST_CASE("intervals: a row that counts twice is as two rows, and one that does not count is none") {
  const TargetMisses of = of_intervals::misses(40, 5);
  TargetMisses twice = of;
  std::vector<float> weights(40, 1.0f);
  for (std::size_t i = 0; i < 40; i += 3) {
    weights[i] = 2;
    twice.miss.push_back(of.miss[i]);
    twice.spread.push_back(0);
  }
  TargetMisses with_more = of;
  with_more.miss.push_back(1000);
  with_more.spread.push_back(0);
  std::vector<float> and_none = weights;
  and_none.push_back(0);
  const Intervals weighted = fit_intervals({of}, weights), counted = fit_intervals({twice}, {});
  const Intervals same = fit_intervals({with_more}, and_none);
  CHECK(same.rows == 40);
  CHECK(same.targets[0].scores == weighted.targets[0].scores);
  CHECK(same.targets[0].shares == weighted.targets[0].shares);
  // The row to come is one of 41 here, one of 55 there: the same but for that.
  const double factor = (1 + 1.0 / 40) / (1 + 1.0 / 54);
  for (const double level : {0.2, 0.5, 0.8, 0.9}) {
    CHECK(weighted.targets[0].score(level) == counted.targets[0].score(level * factor));
  }
  CHECK_FALSE(fit_intervals({of}, std::vector<float>(40, 0.0f)).any());
}

TEST_CASE("intervals: they cover new rows as often as they say, by what members know too, and are then shorter") {
  const TargetMisses held_out = of_intervals::uneven(4000, 1), later = of_intervals::uneven(40000, 2);
  const Intervals intervals = fit_intervals({held_out}, {});
  const TargetIntervals& by = intervals.targets.at(0);
  CHECK(by.by_spread);
  for (const double level : {0.5, 0.8, 0.9, 0.95, 0.99}) {
    CAPTURE(level);
    // Four deviations of what 4000 rows and 40000 rows say, and what levels between those kept add.
    const double deviation = std::sqrt(level * (1 - level) * (1 / 4000.0 + 1 / 40000.0));
    CHECK(std::fabs(of_intervals::covered(by, later, level) - level) < 4 * deviation + 0.001);
  }
  // Where the noise is small, intervals are: 0.1 to 2.1 here.
  CHECK(by.unit(0.1 / 5) * 3 < by.unit(2.1 / 5));
  TargetMisses alike = held_out;
  std::fill(alike.spread.begin(), alike.spread.end(), 0.0);
  CHECK_FALSE(fit_intervals({alike}, {}).targets[0].by_spread);
}

TEST_CASE("intervals: of a model that these rows chose a level is as one half a deviation higher") {
  for (const std::size_t rows : {60, 3000}) {
    const TargetMisses of = of_intervals::misses(rows, 9);
    const TargetIntervals plain = fit_intervals({of}, {}).targets[0], chosen = fit_intervals({of}, {}, true).targets[0];
    CHECK(chosen.scores.size() <= 400);
    std::vector<double> sorted = of.miss;
    std::sort(sorted.begin(), sorted.end());
    for (const double level : {0.1, 0.5, 0.8, 0.9, 0.95}) {
      const double more = level + 0.5 * std::sqrt(level * (1 - level) / static_cast<double>(rows));
      const auto place = static_cast<std::size_t>(std::ceil(more * static_cast<double>(rows + 1)));
      CHECK(chosen.score(level).value() == sorted[place - 1]);
      CHECK(chosen.score(level).value() > plain.score(level).value());
    }
    CHECK(chosen.shares.back() < plain.shares.back());
  }
}

TEST_CASE("intervals: a value that is not finite leaves none, and what is stored comes back") {
  TargetMisses bad = of_intervals::misses(20, 1);
  bad.miss[3] = std::nan("");
  CHECK_FALSE(fit_intervals({of_intervals::misses(20, 2), bad}, {}).any());
  CHECK_FALSE(fit_intervals({TargetMisses{}}, {}).any());
  const Intervals intervals = fit_intervals({of_intervals::uneven(700, 1), of_intervals::misses(700, 2)}, {});
  const Intervals again = intervals_from_json("m", json::parse(json::dump(to_json(intervals))));
  CHECK(again.rows == 700);
  REQUIRE(again.targets.size() == 2);
  for (std::size_t t = 0; t < 2; ++t) {
    CHECK(again.targets[t].by_spread == intervals.targets[t].by_spread);
    CHECK(again.targets[t].floor == intervals.targets[t].floor);
    CHECK(again.targets[t].shares == intervals.targets[t].shares);
    CHECK(again.targets[t].scores == intervals.targets[t].scores);
  }
  const auto text = [](const std::string& shares, const std::string& scores, const std::string& floor) {
    return R"({"rows":3,"targets":[{"by_spread":true,"floor":)" + floor + R"(,"shares":)" + shares + R"(,"scores":)" +
           scores + "}]}";
  };
  CHECK_FALSE(of_intervals::refused(text("[0.25,0.5]", "[1,2]", "0")));
  CHECK(of_intervals::refused(text("[0.5,0.25]", "[1,2]", "0")));
  CHECK(of_intervals::refused(text("[0.25,0.5]", "[2,1]", "0")));
  CHECK(of_intervals::refused(text("[0.25,0.5]", "[1]", "0")));
  CHECK(of_intervals::refused(text("[0.25,1.5]", "[1,2]", "0")));
  CHECK(of_intervals::refused(text("[]", "[]", "0")));
  CHECK(of_intervals::refused(text("[0.25,0.5]", "[1,\"inf\"]", "0")));
  CHECK(of_intervals::refused(text("[0.25,0.5]", "[1,2]", "-1")));
  CHECK(of_intervals::refused(R"({"rows":3,"targets":[]})"));
}

}  // namespace halfstep::internal
