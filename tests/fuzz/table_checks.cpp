#include "fuzz/table_checks.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "fuzz/support.hpp"
#include "text/json.hpp"
#include "text/utf8.hpp"

namespace halfstep::fuzz {

using namespace internal;
namespace {

void check_column(const data::Column& column, std::size_t rows) {
  const std::size_t cells = column.is_text ? column.codes.size() : column.numbers.size();
  require(cells == rows, "a column has a cell for every row", column.name);
  require(column.codes.empty() || column.codes.size() == rows, "texts are kept of every row or of none", column.name);
  require(is_utf8(column.name), "names are UTF-8");
  for (const std::string& value : column.values) require(is_utf8(value), "values are UTF-8");
  for (const std::uint32_t code : column.codes) {
    require(code == data::kMissingCode || code < column.values.size(), "a code stands for a value", column.name);
  }
  for (const double number : column.numbers) require(!std::isinf(number), "numbers are finite", column.name);
  if (column.problem) require(column.is_text && !column.problem->what.empty(), "a problem is told", column.name);
}

template <class Number>
void check_sparse(const data::SparseRows<Number>& sparse, std::size_t rows, std::size_t width) {
  require(sparse.offsets.size() == rows + 1 && sparse.offsets.front() == 0, "every row has its entries");
  require(sparse.offsets.back() == sparse.columns.size(), "every entry has its row");
  require(sparse.columns.size() == sparse.values.size(), "every entry has a value");
  for (std::size_t row = 0; row < rows; ++row) {
    require(sparse.offsets[row] <= sparse.offsets[row + 1], "entries follow each other");
    for (std::size_t i = sparse.offsets[row]; i < sparse.offsets[row + 1]; ++i) {
      require(sparse.columns[i] < width, "an entry has a column");
      require(i == sparse.offsets[row] || sparse.columns[i] > sparse.columns[i - 1], "columns ascend");
    }
  }
}

}  // namespace

void check_table(const data::Table& table) {
  require(table.rows > 0 && !table.columns.empty(), "a table has rows and columns");
  require(table.lines.size() == table.rows, "every row has a line");
  require(std::is_sorted(table.lines.begin(), table.lines.end()), "lines count up");
  if (!table.sparse.empty()) check_sparse(table.sparse, table.rows, table.sparse_width);
  std::set<std::string> names;
  for (const data::Column& column : table.columns) {
    require(names.insert(column.name).second, "names of columns differ", column.name);
    check_column(column, table.rows);
  }
}

void check_examples(const data::Preprocessor& preprocessor, const data::Examples& examples, std::size_t rows) {
  require(examples.rows == rows, "every row is an example");
  require(examples.features == preprocessor.features() && examples.features > 0, "the width is the recipe's");
  if (examples.sparse.empty()) {
    require(examples.x.size() == examples.rows * examples.features, "every example has every feature");
  } else {
    check_sparse(examples.sparse, examples.rows, examples.features);
    require(examples.x.empty() && examples.usual.size() == examples.features, "what is not sparse is as usual");
    for (const float x : examples.usual) require(std::isfinite(x), "features are finite");
    for (const float x : examples.sparse.values) require(std::isfinite(x), "features are finite");
  }
  for (const float x : examples.x) require(std::isfinite(x), "features are finite");
  require(examples.targets.size() == examples.exact_targets.size(), "targets are exact too");
  if (!examples.targets.empty()) {
    require(examples.outputs == preprocessor.targets().size(), "each target has its values");
    require(examples.targets.size() == rows * examples.outputs, "every example has all targets");
  }
  for (const float target : examples.targets) require(std::isfinite(target), "targets are finite");
  for (const std::int32_t label : examples.labels) {
    const bool known = label >= 0 && static_cast<std::size_t>(label) < preprocessor.classes().size();
    require(known, "labels are places of classes");
  }
}

}  // namespace halfstep::fuzz
