// What the outputs of a classifier say about it, row by row, against the classes that the rows have.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "halfstep/metrics.hpp"

namespace halfstep::internal {

class ClassificationScore {
 public:
  // `columns` outputs, of softmax or each of a logistic function; one stands for two classes. `rows`: how many are to
  // come, where scores
  // are to be kept for ranking, else 0.
  ClassificationScore(bool softmax, std::size_t columns, std::size_t rows);

  // In the order of the rows.
  void add(const float* logits, std::int32_t label);
  void finish(std::span<const std::int32_t> labels, Metrics& metrics) const;

  // Beyond this many scores none are kept, and there is no ranking.
  static constexpr std::size_t kMostScores = std::size_t{1} << 25;
  static constexpr std::size_t kMostOfConfusion = 256;

 private:
  struct Bin {
    double confidence = 0, right = 0;
  };
  double set_probabilities(const float* logits, std::size_t label);
  void add_ranking(std::span<const std::int32_t> labels, Metrics& metrics) const;

  bool softmax_;
  std::size_t columns_, classes_;
  std::int64_t rows_ = 0, non_finite_ = 0;
  double log_loss_ = 0, brier_ = 0;
  std::array<Bin, 15> bins_{};
  std::vector<ClassCounts> counts_;
  std::vector<std::int64_t> confusion_;
  std::vector<double> probabilities_;  // of the row
  bool keeps_scores_;
  std::vector<double> scores_;  // of the second of two classes, else of all
};

}  // namespace halfstep::internal
