// Preprocessor::fit: statistics and vocabularies of the training rows.
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "data/recipe.hpp"
#include "data/target.hpp"
#include "data/text.hpp"

namespace halfstep::data {
namespace {

constexpr std::size_t kRowsToSuspectId = 20;

using Rows = std::vector<std::uint32_t>;

Categories categories_of_text(const Column& column) {
  Categories out;
  std::unordered_map<std::string, std::uint32_t> index;
  std::vector<std::uint32_t> code_of_value;
  for (const std::string& value : column.values) {
    const auto [place, fresh] = index.try_emplace(canonical(value), static_cast<std::uint32_t>(out.texts.size()));
    if (fresh) out.texts.push_back(place->first);
    code_of_value.push_back(place->second);
  }
  for (const std::uint32_t code : column.codes) {
    out.codes.push_back(code == kMissingCode ? kMissingCode : code_of_value[code]);
  }
  return out;
}

Categories categories_of_numbers(const Column& column) {
  Categories out;
  std::unordered_map<double, std::uint32_t> index;
  for (const double number : column.numbers) {
    if (number != number) {
      out.codes.push_back(kMissingCode);
      continue;
    }
    const auto [place, fresh] = index.try_emplace(number, static_cast<std::uint32_t>(out.texts.size()));
    if (fresh) out.texts.push_back(number_text(number));
    out.codes.push_back(place->second);
  }
  return out;
}

bool all_distinct_integers(const Column& column, const Rows& rows) {
  std::unordered_set<double> seen;
  for (const std::uint32_t row : rows) {
    const double x = column.numbers[row];
    if (x != std::floor(x) || !seen.insert(x).second) return false;  // NaN is unequal to its floor
  }
  return true;
}

void fit_number(const RawData& raw, const Rows& rows, InputColumn& input, std::vector<std::string>& notes) {
  const Column& column = raw.table()->columns[input.index];
  require_numbers(column, input.index, *raw.table(), raw.source);
  const Moments m = moments(column.numbers, rows);
  input.mean = m.mean;
  input.scale = m.scale;
  const std::string name = excerpt(input.name);
  if (m.count == 0) {
    notes.push_back(name + " has no values: nothing to learn from, --drop it");
    return;
  }
  if (m.scale == 0) notes.push_back(name + " has the same value in every row: nothing to learn from");
  if (m.count < rows.size()) {
    notes.push_back(name + ": " + std::to_string(rows.size() - m.count) + " missing values, taken as the mean");
  }
  if (rows.size() > kRowsToSuspectId && all_distinct_integers(column, rows)) {
    notes.push_back(name + " has another whole number in each row: if it is an id, --drop it");
  }
}

void check_category_count(const RawData& raw, const InputColumn& input) {
  if (input.categories.size() <= kMaxCategories) return;
  fail(Status::limit, "too many categories", raw.source + ", column " + excerpt(input.name),
       std::to_string(input.categories.size()) + " distinct texts, the most is " + std::to_string(kMaxCategories),
       "--drop " + input.name);
}

void fit_categories(const RawData& raw, const Rows& rows, InputColumn& input, std::vector<std::string>& notes) {
  const Column& column = raw.table()->columns[input.index];
  const Categories found = as_categories(column);
  std::vector<bool> used(found.texts.size());
  std::size_t missing = 0;
  for (const std::uint32_t row : rows) {
    if (found.codes[row] == kMissingCode) {
      ++missing;
    } else {
      used[found.codes[row]] = true;
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) input.categories.push_back(found.texts[i]);
  }
  check_category_count(raw, input);
  sort_categories(input.categories);
  input.missing_category = missing > 0;
  const std::string name = excerpt(input.name);
  if (missing > 0) notes.push_back(name + ": " + std::to_string(missing) + " missing values, a category of their own");
  if (input.width() == 1) notes.push_back(name + " has the same value in every row: nothing to learn from");
  if (rows.size() > kRowsToSuspectId && input.categories.size() == rows.size()) {
    notes.push_back(name + " has another text in each row: if it is an id, --drop it");
  }
}

std::vector<bool> named_columns(const Table& table, const std::vector<std::string>& keys,
                                const std::string& parameter) {
  std::vector<bool> named(table.columns.size());
  for (const std::string& key : keys) named[resolve_column(table, key, parameter)] = true;
  return named;
}

void fit_table(const RawData& raw, const Options& options, Recipe& recipe, std::vector<std::string>& notes) {
  const Table& table = *raw.table();
  recipe.has_header = table.has_header;
  const std::vector<bool> dropped = named_columns(table, options.drop, "drop");
  const std::vector<bool> categorical = named_columns(table, options.categorical, "categorical");
  const Rows rows = fit_target(raw, options, recipe, notes);
  if (dropped[recipe.target_index]) {
    fail(Status::invalid_argument, "the target is among the dropped columns", "--drop", excerpt(recipe.target));
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (i == recipe.target_index) continue;
    const Column& column = table.columns[i];
    InputColumn input;
    input.name = column.name;
    input.index = i;
    if (dropped[i]) {
      input.kind = InputColumn::Kind::dropped;
    } else if (categorical[i] || (column.is_text && !column.problem)) {
      input.kind = InputColumn::Kind::categories;
      fit_categories(raw, rows, input, notes);
    } else {
      fit_number(raw, rows, input, notes);
    }
    recipe.columns.push_back(std::move(input));
  }
  if (count_features(recipe) == 0) {
    fail(Status::invalid_argument, "no columns to learn from", raw.source,
         std::to_string(table.columns.size()) + " columns, one of them the target " + excerpt(recipe.target));
  }
}

// One mean and one deviation over all pixels: the relation between pixels is what a picture is.
void fit_matrix(const RawData& raw, const Options& options, Recipe& recipe, std::vector<std::string>& notes) {
  const Matrix& matrix = *raw.matrix();
  recipe.is_matrix = true;
  recipe.matrix_cols = matrix.cols;
  fit_labels(raw, options, recipe);
  if (!recipe.standardize) return;
  double sum = 0;
  double squares = 0;
  const double count = static_cast<double>(matrix.rows) * static_cast<double>(matrix.cols);
  if (!matrix.bytes.empty()) {
    std::uint64_t histogram[256] = {};
    for (const std::uint8_t byte : matrix.bytes) ++histogram[byte];
    for (int v = 0; v < 256; ++v) sum += v * static_cast<double>(histogram[v]);
    recipe.matrix_mean = sum / count;
    for (int v = 0; v < 256; ++v) {
      squares += (v - recipe.matrix_mean) * (v - recipe.matrix_mean) * static_cast<double>(histogram[v]);
    }
  } else {
    for (const float v : matrix.floats) sum += v;
    recipe.matrix_mean = sum / count;
    for (const float v : matrix.floats) squares += (v - recipe.matrix_mean) * (v - recipe.matrix_mean);
  }
  recipe.matrix_scale = std::sqrt(squares / count);
  if (recipe.matrix_scale == 0) notes.push_back("all values are the same: nothing to learn from");
}

}  // namespace

Categories as_categories(const Column& column) {
  return column.is_text ? categories_of_text(column) : categories_of_numbers(column);
}

void require_numbers(const Column& column, std::size_t index, const Table& table, const std::string& source) {
  if (!column.is_text) return;
  if (column.problem) throw Error(Status::format, *column.problem);
  for (std::size_t row = 0; row < column.codes.size(); ++row) {
    double number = 0;
    if (column.missing(row) || parse_number(column.values[column.codes[row]], number) == CellKind::number) continue;
    const std::string line = table.lines.empty() ? "" : ", line " + std::to_string(table.lines[row]);
    fail(Status::format, "text where a number is needed",
         source + line + ", column " + std::to_string(index) + " " + excerpt(column.name),
         excerpt(column.values[column.codes[row]]));
  }
}

std::size_t count_features(const Recipe& recipe) {
  std::size_t features = recipe.is_matrix ? recipe.matrix_cols : 0;
  for (const InputColumn& column : recipe.columns) features += column.width();
  return features;
}

Recipe fit_recipe(const RawData& raw, const Options& options, std::vector<std::string>& notes) {
  Recipe recipe;
  recipe.standardize = options.standardize != "none";
  if (raw.matrix()) {
    fit_matrix(raw, options, recipe, notes);
  } else {
    fit_table(raw, options, recipe, notes);
  }
  return recipe;
}

}  // namespace halfstep::data
