#include "run/narrow_columns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "doctor/stored_values.hpp"
#include "run/data_words.hpp"

namespace halfstep::internal {
namespace {

constexpr double kVanishes = 0x1p-25;  // what is no larger becomes zero in fp16

PreflightColumn column_of(std::size_t column, const Extreme& extreme, const DataWords& words, const RowNumbers& rows) {
  PreflightColumn out;
  out.column = static_cast<std::int64_t>(column);
  out.value = static_cast<double>(extreme.value);
  out.place = rows.text(extreme.row);
  out.overflows = std::fabs(out.value) >= rounds_to_infinity(Dtype::fp16);
  out.standardized = std::numeric_limits<double>::quiet_NaN();
  if (column >= words.inputs.size()) return out;
  const DataWords::Column& of_data = words.inputs[column];
  out.name = of_data.name;
  if (!words.standardised && of_data.scale > 0) out.standardized = (out.value - of_data.mean) / of_data.scale;
  return out;
}

}  // namespace

std::vector<PreflightColumn> narrow_columns(const Prepared& prepared, const std::vector<Extreme>& extremes) {
  const DataWords words = data_words(prepared.preprocessor);
  std::vector<PreflightColumn> out;
  for (std::size_t c = 0; c < extremes.size(); ++c) {
    const double size = std::fabs(static_cast<double>(extremes[c].value));
    if (size == 0 || (size > kVanishes && size < rounds_to_infinity(Dtype::fp16))) continue;
    out.push_back(column_of(c, extremes[c], words, prepared.train_rows));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return std::fabs(a.value) > std::fabs(b.value); });
  return out;
}

}  // namespace halfstep::internal
