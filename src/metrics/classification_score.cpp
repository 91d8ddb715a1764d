#include "metrics/classification_score.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "metrics/output_meaning.hpp"
#include "metrics/ranking.hpp"
#include "metrics/softplus.hpp"

namespace halfstep::internal {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double logistic(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

// Of those that are numbers.
class Mean {
 public:
  void add(double x) {
    if (std::isnan(x)) return;
    sum_ += x;
    ++count_;
  }
  double value() const { return count_ == 0 ? kNan : sum_ / static_cast<double>(count_); }

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace

ClassificationScore::ClassificationScore(bool softmax, std::size_t columns, std::size_t rows)
    : softmax_(softmax),
      columns_(columns),
      classes_(std::max<std::size_t>(columns, 2)),
      counts_(classes_),
      confusion_(classes_ <= kMostOfConfusion ? classes_ * classes_ : 0),
      probabilities_(classes_),
      keeps_scores_(rows > 0 && rows <= kMostScores / (classes_ == 2 ? 1 : classes_)) {
  if (keeps_scores_) scores_.reserve(rows * (classes_ == 2 ? 1 : classes_));
}

// Returns -ln of the probability of `label`, from the logits: a probability that rounds to zero has a logarithm too.
double ClassificationScore::set_probabilities(const float* logits, std::size_t label) {
  const auto own = static_cast<double>(logits[columns_ == 1 ? 0 : label]);
  if (columns_ == 1) {
    probabilities_ = {logistic(-own), logistic(own)};
    return softplus(label == 1 ? -own : own);
  }
  if (!softmax_) {
    for (std::size_t k = 0; k < classes_; ++k) probabilities_[k] = logistic(static_cast<double>(logits[k]));
    return softplus(-own);
  }
  const double largest = static_cast<double>(*std::max_element(logits, logits + columns_));
  double sum = 0;
  for (std::size_t k = 0; k < classes_; ++k) {
    probabilities_[k] = std::exp(static_cast<double>(logits[k]) - largest);
    sum += probabilities_[k];
  }
  for (double& p : probabilities_) p /= sum;
  return std::log(sum) + (largest - own);
}

void ClassificationScore::add(const float* logits, std::int32_t of_row) {
  const auto label = static_cast<std::size_t>(of_row);
  ++rows_;
  ++counts_[label].rows;
  if (!is_finite_output(logits, columns_)) {
    ++non_finite_;
    if (keeps_scores_) scores_.insert(scores_.end(), classes_ == 2 ? 1 : classes_, kNan);
    return;
  }
  const std::size_t guess = predicted_class(logits, columns_, columns_ == 1);
  const bool right = guess == label;
  ++counts_[guess].predicted;
  counts_[label].right += right ? 1 : 0;
  if (!confusion_.empty()) ++confusion_[label * classes_ + guess];
  log_loss_ += set_probabilities(logits, label);
  for (std::size_t k = classes_ == 2 ? 1 : 0; k < classes_; ++k) {
    const double error = probabilities_[k] - (k == label ? 1 : 0);
    brier_ += error * error;
  }
  const double confidence = probabilities_[guess];
  const auto place = static_cast<std::size_t>(confidence * static_cast<double>(bins_.size()));
  Bin& bin = bins_[std::min(place, bins_.size() - 1)];
  bin.confidence += confidence;
  bin.right += right ? 1 : 0;
  if (!keeps_scores_) return;
  // Of two classes the difference of the logits: exact, so that what ties does and what does not stays apart even where
  // probabilities round to 1. Of more, probabilities as they are predicted.
  if (classes_ == 2) {
    const double other = columns_ == 2 && softmax_ ? static_cast<double>(logits[0]) : 0;
    scores_.push_back(static_cast<double>(logits[columns_ - 1]) - other);
  } else {
    for (const double p : probabilities_) scores_.push_back(static_cast<double>(static_cast<float>(p)));
  }
}

void ClassificationScore::finish(std::span<const std::int32_t> labels, Metrics& metrics) const {
  const auto rows = static_cast<double>(rows_);
  metrics.non_finite = non_finite_;
  metrics.classes = counts_;
  metrics.confusion = confusion_;
  std::int64_t right = 0;
  Mean recall, f1;
  for (const ClassCounts& counts : counts_) {
    right += counts.right;
    recall.add(counts.recall());
    f1.add(counts.f1());
  }
  metrics.accuracy = static_cast<double>(right) / rows;
  metrics.balanced_accuracy = recall.value();
  metrics.f1 = classes_ == 2 ? counts_[1].f1() : f1.value();
  if (non_finite_ > 0) return;
  metrics.log_loss = log_loss_ / rows;
  metrics.brier = brier_ / rows;
  metrics.calibration_error = 0;
  for (const Bin& bin : bins_) metrics.calibration_error += std::fabs(bin.confidence - bin.right) / rows;
  if (keeps_scores_) add_ranking(labels, metrics);
}

void ClassificationScore::add_ranking(std::span<const std::int32_t> labels, Metrics& metrics) const {
  if (classes_ == 2) {
    const Ranking ranking = rank(scores_, 1, labels, 1);
    metrics.roc_auc = ranking.roc_auc;
    metrics.average_precision = ranking.average_precision;
    return;
  }
  Mean roc_auc, average_precision;
  for (std::size_t k = 0; k < classes_; ++k) {
    const Ranking ranking = rank(std::span(scores_).subspan(k), classes_, labels, static_cast<std::int32_t>(k));
    roc_auc.add(ranking.roc_auc);
    average_precision.add(ranking.average_precision);
  }
  metrics.roc_auc = roc_auc.value();
  metrics.average_precision = average_precision.value();
}

}  // namespace halfstep::internal
