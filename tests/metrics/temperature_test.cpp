// Temperature scaling against logits whose temperature is known, and against a search over all temperatures.
#include "metrics/temperature.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/rng.hpp"

namespace halfstep::internal {
namespace {
namespace of_temperature {

enum class Kind { softmax, single, logistic };

OutputMeaning meaning_of(Kind kind) {
  OutputMeaning meaning;
  meaning.softmax = kind == Kind::softmax;
  meaning.single_logit = kind == Kind::single;
  return meaning;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// Rows whose class is drawn by what the logits say when divided by `temperature`.
SaidOfRows drawn(Kind kind, std::size_t rows, double temperature) {
  const Rng random(3, 1), chance(3, 2);
  SaidOfRows said;
  said.columns = kind == Kind::single ? 1 : 3;
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<double> p;
    double sum = 0;
    for (std::size_t c = 0; c < said.columns; ++c) {
      const float z = 3 * random.normal(i * said.columns + c);
      said.logits.push_back(z);
      p.push_back(std::exp(static_cast<double>(z) / temperature));
      sum += p.back();
    }
    double u = static_cast<double>(chance.uniform(i));
    std::int32_t label = 0;
    if (kind == Kind::single) {
      label = u < logistic(static_cast<double>(said.logits.back()) / temperature) ? 1 : 0;
    } else {
      while (label < 2 && u >= p[static_cast<std::size_t>(label)] / sum)
        u -= p[static_cast<std::size_t>(label++)] / sum;
    }
    said.labels.push_back(label);
    said.weights.push_back(1);
  }
  return said;
}

// As the formula stands.
double plain_loss(const SaidOfRows& said, Kind kind, std::size_t row, double b) {
  const float* z = said.logits.data() + row * said.columns;
  const auto label = static_cast<std::size_t>(said.labels[row]);
  if (kind == Kind::single) return -std::log(logistic((label == 1 ? b : -b) * static_cast<double>(z[0])));
  double sum = 0, product = 0;
  for (std::size_t c = 0; c < said.columns; ++c) {
    sum += std::exp(b * static_cast<double>(z[c]));
    product -= std::log(logistic((label == c ? b : -b) * static_cast<double>(z[c])));
  }
  return kind == Kind::softmax ? -std::log(std::exp(b * static_cast<double>(z[label])) / sum) : product;
}

double objective(const SaidOfRows& said, Kind kind, double b, double deviation = 0.25) {
  double sum = (b - 1) * (b - 1) / (2 * deviation * deviation), weights = 0;
  for (const double w : said.weights) weights += w;
  for (std::size_t i = 0; i < said.labels.size(); ++i) {
    sum += said.weights[i] * static_cast<double>(said.labels.size()) / weights * plain_loss(said, kind, i, b);
  }
  return sum;
}

}  // namespace of_temperature
}  // namespace

TEST_CASE("temperature: what the logits were multiplied by is found again") {
  using namespace of_temperature;
  for (const double temperature : {0.6, 1.0, 2.5, 4.0}) {
    CAPTURE(temperature);
    for (const Kind kind : {Kind::softmax, Kind::single}) {
      const SaidOfRows said = drawn(kind, 30000, temperature);
      const double found = fit_temperature(said, meaning_of(kind));
      CHECK(found == doctest::Approx(temperature).epsilon(0.06));
      CHECK(loss_at(said, meaning_of(kind), found) <= loss_at(said, meaning_of(kind), 1) + 1e-12);
    }
  }
}

TEST_CASE("temperature: no other has less loss, rows by their weights, whatever the kind of outputs") {
  using namespace of_temperature;
  for (const Kind kind : {Kind::softmax, Kind::single, Kind::logistic}) {
    SaidOfRows said = drawn(kind, 150, 2.0);
    for (std::size_t i = 0; i < said.weights.size(); ++i) said.weights[i] = 0.25 * static_cast<double>(i % 4);
    const double found = fit_temperature(said, meaning_of(kind));
    double best = 1, least = objective(said, kind, 1);
    for (double t = 0.2; t < 8; t *= 1.002) {
      const double value = objective(said, kind, 1 / t);
      if (value < least) {
        least = value;
        best = t;
      }
    }
    CHECK(found == doctest::Approx(best).epsilon(0.003));
    double mean = 0, weights = 0;
    for (std::size_t i = 0; i < said.labels.size(); ++i) {
      mean += said.weights[i] * plain_loss(said, kind, i, 1 / found);
      weights += said.weights[i];
    }
    CHECK(loss_at(said, meaning_of(kind), found) == doctest::Approx(mean / weights).epsilon(1e-9));
    for (double& w : said.weights) w *= 1000;
    CHECK(fit_temperature(said, meaning_of(kind)) == found);
  }
}

TEST_CASE("calibrated loss: the least of all temperatures, with what holds these to 1") {
  using namespace of_temperature;
  for (const Kind kind : {Kind::softmax, Kind::single, Kind::logistic}) {
    for (const std::size_t rows : {40, 3000}) {
      SaidOfRows said = drawn(kind, rows, 2.0);
      for (std::size_t i = 0; i < rows; ++i) said.weights[i] = 0.25 * static_cast<double>(i % 4);
      double least = objective(said, kind, 1, 0.125);
      for (double t = 0.2; t < 8; t *= 1.002) least = std::min(least, objective(said, kind, 1 / t, 0.125));
      const double found = calibrated_loss(said, meaning_of(kind));
      CHECK(found == doctest::Approx(least / static_cast<double>(rows)).epsilon(1e-5));
      CHECK(found < loss_at(said, meaning_of(kind), 1));
      // Without the hold it would be less: rows that are few are believed less.
      CHECK(found > loss_at(said, meaning_of(kind), fit_temperature(said, meaning_of(kind))));
      said.logits[1] = std::numeric_limits<float>::infinity();
      CHECK(std::isnan(calibrated_loss(said, meaning_of(kind))));
    }
  }
  CHECK(std::isnan(calibrated_loss(SaidOfRows{.columns = 1}, meaning_of(Kind::single))));
}

TEST_CASE(
    "temperature: a few rows that are all right, or all wrong, move it little; rows that say nothing not at all") {
  using namespace of_temperature;
  SaidOfRows said = {.columns = 1, .logits = {2, -1, 3, -2, 1}, .labels = {1, 0, 1, 0, 1}, .weights = {1, 1, 1, 1, 1}};
  const double right = fit_temperature(said, meaning_of(Kind::single));
  CHECK(right < 1);
  CHECK(right > 0.9);
  for (std::int32_t& label : said.labels) label = 1 - label;
  const double wrong = fit_temperature(said, meaning_of(Kind::single));
  CHECK(wrong > 1);
  CHECK(wrong < 3);
  said.weights.assign(5, 0);
  CHECK(fit_temperature(said, meaning_of(Kind::single)) == 1);
  said.weights.assign(5, 1);
  said.logits[2] = std::nanf("");
  CHECK(fit_temperature(said, meaning_of(Kind::single)) == 1);
  CHECK(fit_temperature(SaidOfRows{.columns = 1, .logits = {}, .labels = {}, .weights = {}},
                        meaning_of(Kind::single)) == 1);
}

}  // namespace halfstep::internal
