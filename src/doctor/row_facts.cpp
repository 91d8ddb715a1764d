#include "doctor/row_facts.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace halfstep::internal {
namespace {

constexpr double kFarBeyond = 64;  // times the usual: beyond what rows of one kind differ by

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The largest of `columns` numbers, NaN before all.
RowExtreme largest(const float* row, std::size_t columns, const std::vector<double>& centre) {
  RowExtreme most;
  double size = -1;
  for (std::size_t c = 0; c < columns; ++c) {
    const double here = std::fabs(static_cast<double>(row[c]) - (centre.empty() ? 0 : centre[c]));
    if (!(here <= size)) {
      size = std::isnan(here) ? INFINITY : here;
      most.column = c;
      most.value = static_cast<double>(row[c]);
    }
  }
  most.usual = size;
  return most;
}

RowExtreme extreme(const float* values, std::size_t rows, std::size_t columns, std::size_t row,
                   const std::vector<double>& centre) {
  std::vector<double> sizes;
  for (std::size_t r = 0; r < rows; ++r) {
    const double size = largest(values + r * columns, columns, centre).usual;
    if (r != row && std::isfinite(size)) sizes.push_back(size);
  }
  RowExtreme most = largest(values + row * columns, columns, centre);
  most.usual = median(std::move(sizes));
  return most;
}

}  // namespace

bool RowExtreme::stands_out() const {
  return !std::isfinite(value) || std::fabs(value) > kFarBeyond * std::max(usual, 1.0);
}

RowExtreme input_extreme(const Capsule& c, std::size_t row) { return extreme(c.x.data(), c.rows, c.inputs(), row, {}); }

RowExtreme target_extreme(const Capsule& c, std::size_t row) {
  if (c.values.empty()) return {};
  std::vector<double> centre;
  for (std::size_t o = 0; o < c.outputs(); ++o) {
    std::vector<double> column;
    for (std::size_t r = 0; r < c.rows; ++r) {
      const auto value = static_cast<double>(c.values[r * c.outputs() + o]);
      if (std::isfinite(value)) column.push_back(value);
    }
    centre.push_back(median(std::move(column)));
  }
  return extreme(c.values.data(), c.rows, c.outputs(), row, centre);
}

}  // namespace halfstep::internal
