#include "run/column_groups.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "report/markup.hpp"

namespace halfstep::internal {
namespace {

bool is_constant(const data::InputColumn& column) {
  if (column.kind != data::InputColumn::Kind::number) return false;
  // An embedded one may have a scale of 0 because most of its values, not all, are the same.
  return column.embedded ? column.knots.size() < 2 : column.scale == 0;
}

template <class Vector>
void take(Vector& values, const Vector& original, std::size_t features, const ColumnGroup& group,
          const std::vector<std::uint32_t>& order) {
  if (original.empty()) return;
  for (std::size_t row = 0; row < order.size(); ++row) {
    for (std::size_t line = 0; line < group.rows; ++line) {
      const std::size_t at = group.first + line * group.stride;
      const auto from = original.begin() + static_cast<std::ptrdiff_t>(order[row] * features + at);
      std::copy(from, from + static_cast<std::ptrdiff_t>(group.width),
                values.begin() + static_cast<std::ptrdiff_t>(row * features + at));
    }
  }
}

}  // namespace

std::vector<ColumnGroup> column_groups(const data::Recipe& recipe) {
  std::vector<ColumnGroup> groups;
  if (recipe.is_matrix) {
    for (std::size_t i = 0; i < recipe.matrix_cols; ++i) groups.push_back({"value " + std::to_string(i), i, 1});
    return groups;
  }
  for (std::size_t i = 0; i < recipe.sparse_scales.size(); ++i) {
    const std::size_t index = i + (recipe.zero_based ? 0 : 1);
    if (recipe.sparse_scales[i] > 0) groups.push_back({"feature " + std::to_string(index), i, 1});
  }
  std::size_t offset = 0;
  for (const data::InputColumn& column : recipe.columns) {
    if (column.width() > 0 && !is_constant(column)) {
      groups.push_back({report::short_name(column.title()), offset, column.width(), 1, 0, &column});
    }
    offset += column.width();
  }
  return groups;
}

data::Examples sample_rows(const data::Examples& examples, std::size_t rows) {
  std::vector<std::uint32_t> chosen;
  for (std::size_t i = 0; i < rows; ++i) chosen.push_back(static_cast<std::uint32_t>(i * examples.rows / rows));
  return data::take_rows(examples, chosen);
}

void take_group(data::Examples& examples, const data::Examples& original, const ColumnGroup& group,
                const std::vector<std::uint32_t>& order) {
  take(examples.x, original.x, original.features, group, order);
  take(examples.bytes, original.bytes, original.features, group, order);
}

std::vector<std::uint32_t> rows_in_order(std::size_t rows) {
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  return order;
}

std::vector<std::uint32_t> rows_by_chance(std::size_t rows, const Rng& random) {
  std::vector<std::uint32_t> order = rows_in_order(rows);
  for (std::size_t i = rows; i > 1; --i) std::swap(order[i - 1], order[random.below(i, static_cast<std::uint32_t>(i))]);
  return order;
}

}  // namespace halfstep::internal
