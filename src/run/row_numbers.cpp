#include "run/row_numbers.hpp"

#include <algorithm>

namespace halfstep::internal {

std::string RowNumbers::text(std::size_t row) const {
  const std::size_t number = row < numbers.size() ? numbers[row] : row + 1;
  return (lines ? "line " : "row ") + std::to_string(number);
}

RowNumbers row_numbers(const data::RawData& raw, const std::vector<std::string>& targets,
                       std::span<const std::uint32_t> chosen) {
  const data::Table* const table = raw.table();
  std::vector<const data::Column*> columns;
  for (std::size_t i = 0; table && i < table->columns.size(); ++i) {
    const data::Column& column = table->columns[i];
    if (std::find(targets.begin(), targets.end(), column.name) != targets.end()) columns.push_back(&column);
  }
  RowNumbers out;
  out.lines = table && !table->lines.empty();
  for (std::size_t row = 0; row < raw.rows(); ++row) {
    const auto missing = [&](const data::Column* column) { return column->missing(row); };
    if (std::any_of(columns.begin(), columns.end(), missing)) continue;
    out.numbers.push_back(out.lines         ? table->lines[row]
                          : !chosen.empty() ? chosen[row] + 1
                                            : static_cast<std::uint32_t>(row) + 1);
  }
  return out;
}

}  // namespace halfstep::internal
