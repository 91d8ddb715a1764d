#include "run/row_numbers.hpp"

#include <algorithm>

namespace halfstep::internal {

std::string RowNumbers::text(std::size_t row) const {
  const std::size_t number = row < numbers.size() ? numbers[row] : row + 1;
  return (lines ? "line " : "row ") + std::to_string(number);
}

RowNumbers row_numbers(const data::RawData& raw, const std::string& target, std::span<const std::uint32_t> chosen) {
  const data::Table* const table = raw.table();
  const data::Column* column = nullptr;
  if (table) {
    const auto found = std::find_if(table->columns.begin(), table->columns.end(),
                                    [&](const data::Column& c) { return c.name == target; });
    if (found != table->columns.end()) column = &*found;
  }
  RowNumbers out;
  out.lines = table && !table->lines.empty();
  for (std::size_t row = 0; row < raw.rows(); ++row) {
    if (column && column->missing(row)) continue;
    out.numbers.push_back(out.lines         ? table->lines[row]
                          : !chosen.empty() ? chosen[row] + 1
                                            : static_cast<std::uint32_t>(row) + 1);
  }
  return out;
}

}  // namespace halfstep::internal
