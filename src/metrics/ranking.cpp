#include "metrics/ranking.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace halfstep::internal {

Ranking rank(std::span<const double> scores, std::size_t stride, std::span<const std::int32_t> labels,
             std::int32_t positive) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  struct Row {
    double score;
    bool positive;
  };
  std::vector<Row> rows(labels.size());
  double positives = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = {scores[i * stride], labels[i] == positive};
    positives += rows[i].positive ? 1 : 0;
    if (std::isnan(rows[i].score)) return {kNan, kNan};
  }
  const double negatives = static_cast<double>(rows.size()) - positives;
  if (positives == 0 || negatives == 0) return {kNan, kNan};
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.score > b.score; });
  double above = 0, below = 0;  // rows of the class and others with a higher score
  double pairs = 0, precision_sum = 0;
  for (std::size_t i = 0; i < rows.size();) {
    double hits = 0, misses = 0;  // of this score
    const double score = rows[i].score;
    for (; i < rows.size() && rows[i].score == score; ++i) (rows[i].positive ? hits : misses) += 1;
    pairs += hits * (negatives - below - misses / 2);
    above += hits;
    below += misses;
    precision_sum += hits * above / (above + below);
  }
  return {pairs / (positives * negatives), precision_sum / positives};
}

}  // namespace halfstep::internal
