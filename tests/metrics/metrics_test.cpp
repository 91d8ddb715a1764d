// Metrics against their definitions, in plain loops over all rows and pairs of rows.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.hpp"
#include "halfstep/metrics.hpp"
#include "metrics/classification_score.hpp"
#include "metrics/ranking.hpp"
#include "metrics/regression_error.hpp"

namespace halfstep::internal {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

// Logits of few values, so that there are ties.
struct Rows {
  std::size_t columns;
  std::vector<float> logits;
  std::vector<std::int32_t> labels;

  Rows(std::size_t rows, std::size_t n, std::uint64_t stream) : columns(n) {
    const Rng rng(99, stream);
    const std::size_t classes = std::max<std::size_t>(n, 2);
    for (std::size_t r = 0; r < rows; ++r) {
      labels.push_back(static_cast<std::int32_t>(rng.below(1000000 + r, static_cast<std::uint32_t>(classes))));
      for (std::size_t c = 0; c < n; ++c) {
        const float bonus = static_cast<std::size_t>(labels[r]) == c || (n == 1 && labels[r] == 1) ? 0.75f : 0.0f;
        logits.push_back(static_cast<float>(rng.below(r * n + c, 9)) / 2 - 2 + bonus);
      }
    }
  }
  std::size_t classes() const { return std::max<std::size_t>(columns, 2); }
  double probability(std::size_t row, std::size_t k, bool softmax) const {
    const float* const l = logits.data() + row * columns;
    if (columns == 1) {
      const double p = 1 / (1 + std::exp(-static_cast<double>(l[0])));
      return k == 1 ? p : 1 - p;
    }
    if (!softmax) return 1 / (1 + std::exp(-static_cast<double>(l[k])));
    double sum = 0;
    for (std::size_t c = 0; c < columns; ++c) sum += std::exp(static_cast<double>(l[c]));
    return std::exp(static_cast<double>(l[k])) / sum;
  }
  std::size_t guess(std::size_t row) const {
    if (columns == 1) return logits[row] > 0 ? 1 : 0;
    const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(row * columns);
    return static_cast<std::size_t>(std::max_element(begin, begin + static_cast<std::ptrdiff_t>(columns)) - begin);
  }
  Metrics measured(bool softmax, bool ranking = true) const {
    ClassificationScore score(softmax, columns, ranking ? labels.size() : 0);
    for (std::size_t r = 0; r < labels.size(); ++r) score.add(logits.data() + r * columns, labels[r]);
    Metrics metrics;
    score.finish(labels, metrics);
    return metrics;
  }
};

// Of all pairs of a row of the class and another.
double pairs_in_order(const std::vector<double>& scores, const std::vector<bool>& positive) {
  double right = 0, pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (!positive[i] || positive[j]) continue;
      pairs += 1;
      right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  return pairs == 0 ? kNotANumber : right / pairs;
}

// Over the distinct scores as thresholds, from the highest.
double mean_precision(const std::vector<double>& scores, const std::vector<bool>& positive) {
  std::vector<double> thresholds = scores;
  std::sort(thresholds.begin(), thresholds.end(), std::greater<>());
  thresholds.erase(std::unique(thresholds.begin(), thresholds.end()), thresholds.end());
  const auto all = static_cast<double>(std::count(positive.begin(), positive.end(), true));
  double sum = 0, recall = 0;
  for (const double threshold : thresholds) {
    double taken = 0, hits = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      taken += scores[i] >= threshold ? 1 : 0;
      hits += scores[i] >= threshold && positive[i] ? 1 : 0;
    }
    sum += (hits / all - recall) * hits / taken;
    recall = hits / all;
  }
  return sum;
}

}  // namespace

TEST_CASE("metrics: of classes, by their definitions") {
  for (const std::size_t columns : {1, 2, 3, 7}) {
    for (const bool softmax : {true, false}) {
      CAPTURE(columns);
      CAPTURE(softmax);
      const Rows rows(200, columns, columns);
      const std::size_t n = rows.labels.size(), classes = rows.classes();
      const Metrics m = rows.measured(softmax);
      std::vector<double> of_class(classes), said(classes), hit(classes);
      double right = 0, loss = 0, brier = 0;
      struct Bin {
        double rows = 0, confidence = 0, right = 0;
      };
      std::vector<Bin> bins(15);
      for (std::size_t r = 0; r < n; ++r) {
        const auto label = static_cast<std::size_t>(rows.labels[r]);
        const std::size_t guess = rows.guess(r);
        ++of_class[label];
        ++said[guess];
        hit[label] += guess == label ? 1 : 0;
        right += guess == label ? 1 : 0;
        loss -= std::log(rows.probability(r, label, softmax));
        for (std::size_t k = classes == 2 ? 1 : 0; k < classes; ++k) {
          brier += std::pow(rows.probability(r, k, softmax) - (k == label ? 1 : 0), 2);
        }
        const double confidence = rows.probability(r, guess, softmax);
        Bin& bin = bins[static_cast<std::size_t>(confidence * 15)];
        bin.rows += 1;
        bin.confidence += confidence;
        bin.right += guess == label ? 1 : 0;
      }
      const auto count = static_cast<double>(n);
      double recall = 0, f1 = 0, calibration = 0, auc = 0, precision = 0;
      for (std::size_t k = 0; k < classes; ++k) {
        recall += hit[k] / of_class[k] / static_cast<double>(classes);
        f1 += 2 * hit[k] / (of_class[k] + said[k]) / static_cast<double>(classes);
        CHECK(m.classes[k].rows == static_cast<std::int64_t>(of_class[k]));
        CHECK(m.classes[k].predicted == static_cast<std::int64_t>(said[k]));
        CHECK(m.classes[k].right == static_cast<std::int64_t>(hit[k]));
        CHECK(m.confusion[k * classes + k] == m.classes[k].right);
      }
      for (const Bin& bin : bins) {
        if (bin.rows == 0) continue;
        calibration += bin.rows / count * std::fabs(bin.confidence / bin.rows - bin.right / bin.rows);
      }
      for (std::size_t k = classes == 2 ? 1 : 0; k < classes; ++k) {
        std::vector<double> scores;
        std::vector<bool> positive;
        for (std::size_t r = 0; r < n; ++r) {
          // What ties in exact arithmetic is to tie here: by the library's own kind of number.
          scores.push_back(static_cast<double>(static_cast<float>(rows.probability(r, k, softmax))));
          positive.push_back(static_cast<std::size_t>(rows.labels[r]) == k);
        }
        const double share = classes == 2 ? 1 : 1 / static_cast<double>(classes);
        auc += pairs_in_order(scores, positive) * share;
        precision += mean_precision(scores, positive) * share;
      }
      CHECK(m.accuracy == doctest::Approx(right / count));
      CHECK(m.balanced_accuracy == doctest::Approx(recall));
      CHECK(m.f1 == doctest::Approx(classes == 2 ? 2 * hit[1] / (of_class[1] + said[1]) : f1));
      CHECK(m.log_loss == doctest::Approx(loss / count));
      CHECK(m.brier == doctest::Approx(brier / count));
      CHECK(m.calibration_error == doctest::Approx(calibration));
      CHECK(m.roc_auc == doctest::Approx(auc));
      CHECK(m.average_precision == doctest::Approx(precision));
      CHECK(std::isnan(rows.measured(softmax, false).roc_auc));
    }
  }
}

TEST_CASE("metrics: rows without a finite output are wrong, and means over the rows are not a number") {
  Rows rows(50, 3, 5);
  const Metrics before = rows.measured(true);
  rows.logits[7 * 3 + 1] = std::numeric_limits<float>::infinity();
  const Metrics m = rows.measured(true);
  CHECK(m.non_finite == 1);
  CHECK(m.accuracy <= before.accuracy);
  CHECK(m.classes[static_cast<std::size_t>(rows.labels[7])].rows ==
        before.classes[static_cast<std::size_t>(rows.labels[7])].rows);
  for (const MetricKind kind : {MetricKind::log_loss, MetricKind::roc_auc, MetricKind::average_precision,
                                MetricKind::brier, MetricKind::calibration_error}) {
    CHECK(std::isnan(value_of(m, kind)));
  }
}

TEST_CASE("metrics: a logit far out has a finite log loss, and rows of one class no ranking") {
  ClassificationScore score(true, 2, 2);
  const float far[] = {1000, -1000};
  score.add(far, 1);
  score.add(far, 1);
  Metrics m;
  const std::vector<std::int32_t> labels = {1, 1};
  score.finish(labels, m);
  CHECK(m.log_loss == 2000);
  CHECK(m.accuracy == 0);
  CHECK(m.brier == 1);
  CHECK(m.calibration_error == 1);
  CHECK(std::isnan(m.roc_auc));
  CHECK(std::isnan(m.average_precision));
  const std::vector<double> scores = {0.5, 0.25, 0.5};
  const std::vector<std::int32_t> some = {1, 0, 0};
  CHECK(rank(scores, 1, some, 1).roc_auc == 0.75);
  CHECK(rank(scores, 1, some, 1).average_precision == 0.5);
  CHECK(std::isnan(rank(std::vector<double>{kNotANumber, 1, 2}, 1, some, 1).roc_auc));
}

TEST_CASE("metrics: magnitudes of errors") {
  CHECK(mean_magnitude(std::vector<double>{-1, 2, -6}) == 3);
  CHECK(median_magnitude(std::vector<double>{-1, 2, -6}) == 2);
  CHECK(median_magnitude(std::vector<double>{-1, 5, -6, 2}) == 3.5);
  CHECK(median_magnitude(std::vector<double>{1e308, -1e308}) == 1e308);
  CHECK(std::isnan(median_magnitude(std::vector<double>{1, kNotANumber})));
  CHECK(std::isnan(mean_magnitude(std::vector<double>{1, kNotANumber})));
}

}  // namespace halfstep::internal
