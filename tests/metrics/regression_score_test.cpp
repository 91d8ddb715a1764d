// The metrics of several targets beside those of scikit-learn 1.9.
#include "metrics/regression_score.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace halfstep::internal {
namespace {

// y = [[i * 0.25, 100 - i * i, i % 3] for i in range(9)]
// p = [[i * 0.25 + (i % 4 - 1.5) / 8, 90 - i * i + 3 * (i % 5), (i * 7 % 9) / 4] for i in range(9)]
struct Measured {
  static constexpr std::size_t kRows = 9, kTargets = 3;
  OutputMeaning meaning = {.classification = false, .targets = {{1, 0.5}, {60, 32}, {0, 4}}};
  std::vector<double> truths;
  std::vector<float> outputs;

  Measured() {
    for (int i = 0; i < 9; ++i) {
      const double y[] = {i * 0.25, 100.0 - i * i, i % 3 * 1.0};
      const double p[] = {i * 0.25 + (i % 4 - 1.5) / 8, 90.0 - i * i + 3 * (i % 5), i * 7 % 9 / 4.0};
      for (std::size_t t = 0; t < kTargets; ++t) {
        truths.push_back((y[t] - meaning.targets[t].mean) / meaning.targets[t].scale);
        outputs.push_back(static_cast<float>((p[t] - meaning.targets[t].mean) / meaning.targets[t].scale));
      }
    }
  }
  Metrics metrics() const {
    RegressionScore score(truths, meaning);
    for (std::size_t row = 0; row < kRows; ++row) score.add(row, outputs.data() + row * kTargets);
    Metrics out;
    score.finish(out);
    return out;
  }
};

bool near(double got, double expected) { return std::abs(got - expected) <= 1e-12 * (1 + std::abs(expected)); }

}  // namespace

// for m in (root_mean_squared_error, r2_score, mean_absolute_error, median_absolute_error):
//     print(m(y, p, multioutput="raw_values"), m(y, p))
TEST_CASE("several targets: each has its metrics, and all have their mean, as in scikit-learn") {
  const Metrics m = Measured().metrics();
  REQUIRE(m.targets.size() == 3);
  constexpr TargetErrors kExpected[] = {{0.14583333333333334, 0.94895833333333335, 0.13194444444444445, 0.1875},
                                        {6.110100926607787, 0.91899710703953708, 5.1111111111111107, 4},
                                        {0.8660254037844386, -0.125, 0.66666666666666663, 0.75}};
  for (std::size_t t = 0; t < 3; ++t) {
    CAPTURE(t);
    CHECK(near(m.targets[t].rmse, kExpected[t].rmse));
    CHECK(near(m.targets[t].r2, kExpected[t].r2));
    CHECK(near(m.targets[t].mae, kExpected[t].mae));
    CHECK(near(m.targets[t].median_error, kExpected[t].median_error));
  }
  CHECK(near(m.rmse, 2.3739865545751861));
  CHECK(near(m.r2, 0.58098514679095681));
  CHECK(near(m.mae, 1.9699074074074074));
  CHECK(near(m.median_error, 1.6458333333333333));
  CHECK(m.non_finite == 0);
}

TEST_CASE("several targets: one that never changes has no r2, and the mean is over the others") {
  Measured same;
  for (std::size_t row = 0; row < Measured::kRows; ++row) same.truths[row * 3 + 1] = 0.25;
  const Metrics m = same.metrics();
  CHECK(std::isnan(m.targets[1].r2));
  CHECK(near(m.r2, (0.94895833333333335 - 0.125) / 2));
  CHECK(std::isfinite(m.rmse));
}

TEST_CASE("several targets: a row that is finite in part is counted once, and no mean hides it") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Measured part;
    part.outputs[4 * 3 + 1] = bad;
    part.outputs[7 * 3 + 0] = part.outputs[7 * 3 + 2] = bad;
    const Metrics m = part.metrics();
    CHECK(m.non_finite == 2);
    for (const double value : {m.rmse, m.r2, m.mae, m.median_error}) CHECK(std::isnan(value));
  }
}

TEST_CASE("one target: the mean is its own value, to the bit") {
  const std::vector<double> truths = {0.1, 0.2, 0.9, -1.3};
  const OutputMeaning meaning = {.classification = false, .targets = {{5, 0.3}}};
  RegressionScore score(truths, meaning);
  const float outputs[] = {0.15f, 0.1f, 1.0f, -1.0f};
  for (std::size_t row = 0; row < 4; ++row) score.add(row, outputs + row);
  Metrics m;
  score.finish(m);
  REQUIRE(m.targets.size() == 1);
  CHECK(m.rmse == m.targets[0].rmse);
  CHECK(m.r2 == m.targets[0].r2);
  CHECK(m.mae == m.targets[0].mae);
  CHECK(m.median_error == m.targets[0].median_error);
}

}  // namespace halfstep::internal
