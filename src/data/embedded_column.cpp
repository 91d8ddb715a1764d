#include "data/embedded_column.hpp"

#include <algorithm>
#include <cmath>

namespace halfstep::internal::data {
namespace {

constexpr double kQuartilesOfNormal = 1.349;  // distance of the quartiles, in standard deviations

// Between the two that are nearest.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = place - static_cast<double>(below);
  return sorted[below] * (1 - part) + sorted[above] * part;
}

// The ends of so many bins that have about as many of the numbers each; each but once.
std::vector<double> quantiles(const std::vector<double>& sorted, std::size_t bins) {
  std::vector<double> out;
  for (std::size_t i = 0; i <= bins; ++i) {
    const double here = quantile(sorted, static_cast<double>(i) / static_cast<double>(bins));
    if (out.empty() || here > out.back()) out.push_back(here);
  }
  return out;
}

std::vector<double> without_frequent(const std::vector<double>& sorted, std::size_t most) {
  std::vector<double> out;
  for (auto begin = sorted.begin(); begin != sorted.end();) {
    const auto end = std::upper_bound(begin, sorted.end(), *begin);
    if (static_cast<std::size_t>(end - begin) <= most) out.insert(out.end(), begin, end);
    begin = end;
  }
  return out;
}

// Halves: the difference of two finite numbers may be infinite.
double distance(double from, double to, double unit) { return (to * 0.5 - from * 0.5) / (unit * 0.5); }

}  // namespace

void fit_knots(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows, std::size_t segments,
               InputColumn& column) {
  column.embedded = true;
  std::vector<double> sorted;
  for (const std::uint32_t row : rows) {
    if (numbers[row] == numbers[row]) sorted.push_back(numbers[row]);
  }
  if (sorted.empty()) return;
  std::sort(sorted.begin(), sorted.end());
  column.mean = quantile(sorted, 0.5);
  const double quartiles = quantile(sorted, 0.75) - quantile(sorted, 0.25);
  if (quartiles > 0 && std::isfinite(quartiles)) column.scale = quartiles / kQuartilesOfNormal;
  std::vector<double> distinct = sorted;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  if (distinct.size() <= segments) {
    column.knots = std::move(distinct);
    return;
  }
  column.knots = quantiles(sorted, segments);
  const std::size_t spare = segments + 1 - column.knots.size();
  if (spare < 2) return;
  // Single values fill whole bins, such as the zeros of a column that is mostly zero: their bins go to the others.
  const std::vector<double> others = without_frequent(sorted, sorted.size() / segments);
  if (others.empty()) return;
  const std::vector<double> more = quantiles(others, spare - 1);
  column.knots.insert(column.knots.end(), more.begin(), more.end());
  std::sort(column.knots.begin(), column.knots.end());
  column.knots.erase(std::unique(column.knots.begin(), column.knots.end()), column.knots.end());
}

// x / sqrt(1 + (x / 3)^2), as RealMLP clips (Holzmueller et al., 2024, "Better by default").
float embedded_value(const InputColumn& column, double number) {
  if (number != number || column.scale == 0) return 0;
  const double x = distance(column.mean, number, column.scale);
  if (!(std::fabs(x) < 1e100)) return static_cast<float>(std::copysign(kEmbeddedClip, x));
  return static_cast<float>(x / std::sqrt(1 + (x / kEmbeddedClip) * (x / kEmbeddedClip)));
}

float embedded_place(const InputColumn& column, double number) {
  if (number != number) return kMissingPlace;
  const std::vector<double>& knots = column.knots;
  if (knots.size() < 2) return 0;
  const auto above = std::upper_bound(knots.begin(), knots.end(), number);
  const std::size_t last = knots.size() - 2;
  const std::size_t segment = above == knots.begin() ? 0 : std::min<std::size_t>(above - knots.begin() - 1, last);
  const double low = knots[segment], high = knots[segment + 1];
  const double share = (number * 0.5 - low * 0.5) / (high * 0.5 - low * 0.5);
  return static_cast<float>(static_cast<double>(segment) + std::clamp(share, -1.0, 2.0));
}

std::vector<ColumnEmbedding> embedded_columns(const Recipe& recipe) {
  std::vector<ColumnEmbedding> out;
  for (const InputColumn& column : recipe.columns) {
    if (!column.embedded) continue;
    const bool number = column.kind == InputColumn::Kind::number;
    out.push_back({number, number ? std::max<std::size_t>(column.knots.size(), 2) - 1 : column.codes()});
  }
  return out;
}

bool same_inputs(const std::vector<ColumnEmbedding>& a, const std::vector<ColumnEmbedding>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ColumnEmbedding& x, const ColumnEmbedding& y) {
    return x.number == y.number && x.size == y.size;
  });
}

}  // namespace halfstep::internal::data
