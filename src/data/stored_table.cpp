#include "data/stored_table.hpp"

#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "data/column_store.hpp"
#include "data/data.hpp"

namespace halfstep::internal::data {

Column load_column(const Table& table, std::size_t column) {
  Column loaded = table.columns[column];
  if (!loaded.stored) return loaded;
  loaded.stored = false;
  if (table.stored_rows.empty()) {
    table.store->load(column, loaded);
  } else {
    table.store->load(column, table.stored_rows, loaded);
  }
  return loaded;
}

Table load_rows(const Table& table, std::size_t first, std::size_t count, const std::vector<bool>& wanted) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(first));
  Table part = take_table(table, rows);
  const std::vector<std::uint32_t> places = std::move(part.stored_rows);
  for (std::size_t i = 0; i < part.columns.size(); ++i) {
    if (!part.columns[i].stored || (!wanted.empty() && !wanted[i])) continue;
    part.store->load(i, places, part.columns[i]);
    part.columns[i].stored = false;
  }
  part.store.reset();
  part.stored_rows.clear();
  return part;
}

}  // namespace halfstep::internal::data
