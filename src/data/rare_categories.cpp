#include "data/rare_categories.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kFewCategories = 10;
constexpr double kLeast = 3, kMost = 60;  // rows

struct Squares {
  double between = 0;  // of the categories' means from the mean of all, row by row
  double within = 0;   // of the rows from their category's mean
};

Squares squares_of(const std::vector<std::uint32_t>& code_of, const std::vector<double>& counts, double rows,
                   const std::vector<double>& values) {
  const std::size_t categories = counts.size();
  double mean = 0;
  for (std::size_t r = 0; r < values.size(); ++r) mean += code_of[r] < categories ? values[r] / rows : 0;
  std::vector<double> sums(categories);
  double all = 0;
  for (std::size_t r = 0; r < values.size(); ++r) {
    if (code_of[r] >= categories) continue;
    sums[code_of[r]] += values[r] - mean;
    all += (values[r] - mean) * (values[r] - mean);
  }
  Squares out;
  for (std::size_t c = 0; c < categories; ++c) out.between += counts[c] > 0 ? sums[c] * sums[c] / counts[c] : 0;
  out.within = all - out.between;
  return out;
}

// Of classes: the sum over the indicators of each class. Only pairs that occur are counted, for both may be many.
Squares squares_of(const std::vector<std::uint32_t>& code_of, const std::vector<double>& counts, double rows,
                   const std::vector<std::uint32_t>& classes) {
  std::vector<std::uint64_t> pairs;
  std::vector<double> of_class;
  for (std::size_t r = 0; r < classes.size(); ++r) {
    if (code_of[r] >= counts.size()) continue;
    pairs.push_back(std::uint64_t{code_of[r]} << 32 | classes[r]);
    if (classes[r] >= of_class.size()) of_class.resize(classes[r] + std::size_t{1});
    ++of_class[classes[r]];
  }
  std::sort(pairs.begin(), pairs.end());
  double explained = 0, alike = 0;
  for (auto begin = pairs.begin(); begin != pairs.end();) {
    const auto end = std::upper_bound(begin, pairs.end(), *begin);
    const auto n = static_cast<double>(end - begin);
    explained += n * n / counts[*begin >> 32];
    begin = end;
  }
  for (const double n : of_class) alike += n * n / rows;
  return {explained - alike, rows - explained};
}

// The variance within over that between.
double ratio_of(const Squares& squares, const std::vector<double>& counts, double rows) {
  constexpr double kNothing = std::numeric_limits<double>::infinity();
  double used = 0, squared = 0;
  for (const double n : counts) {
    used += n > 0 ? 1 : 0;
    squared += n * n;
  }
  if (used < 2 || rows <= used) return kNothing;
  const double within = squares.within / (rows - used);
  const double between = (squares.between / (used - 1) - within) / ((rows - squared / rows) / (used - 1));
  return between > 0 ? std::max(within, 0.0) / between : kNothing;
}

}  // namespace

std::size_t rows_to_tell_apart(const std::vector<std::uint32_t>& code_of, std::size_t categories,
                               const TargetOfRows& target) {
  std::vector<double> counts(categories);
  double rows = 0;
  for (const std::uint32_t code : code_of) {
    if (code >= categories) continue;
    ++counts[code];
    ++rows;
  }
  const auto used =
      static_cast<std::size_t>(std::count_if(counts.begin(), counts.end(), [](double n) { return n > 0; }));
  if (used <= kFewCategories) return 1;
  double ratio = std::numeric_limits<double>::infinity();
  if (!target.classes.empty()) ratio = ratio_of(squares_of(code_of, counts, rows, target.classes), counts, rows);
  for (const std::vector<double>& values : target.values) {
    ratio = std::min(ratio, ratio_of(squares_of(code_of, counts, rows, values), counts, rows));
  }
  // Written so that a NaN, of values that overflow, tells none apart.
  return static_cast<std::size_t>(ratio < kMost ? std::max(std::ceil(ratio), kLeast) : kMost);
}

}  // namespace halfstep::internal::data
