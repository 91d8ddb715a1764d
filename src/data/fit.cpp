// Preprocessor::fit: statistics and vocabularies of the training rows.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "data/embedded_column.hpp"
#include "data/missing.hpp"
#include "data/moments.hpp"
#include "data/number_format.hpp"
#include "data/rare_categories.hpp"
#include "data/recipe.hpp"
#include "data/sparse_recipe.hpp"
#include "data/stored_table.hpp"
#include "data/target.hpp"
#include "data/target_columns.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kRowsToSuspectId = 20;

constexpr const char* kKeepApart = "; to keep one as a category, name with --missing what does mean missing";

using Rows = std::vector<std::uint32_t>;

bool all_distinct_integers(const std::vector<double>& numbers, const Rows& rows) {
  std::vector<double> sorted;
  sorted.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    const double x = numbers[row];
    if (x != std::floor(x)) return false;  // NaN is unequal to its floor
    sorted.push_back(x);
  }
  std::sort(sorted.begin(), sorted.end());
  return std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
}

// Words that stood for missing ones; those that always do need not be kept.
std::vector<std::string> missing_words(const Column& column) {
  std::vector<std::string> words;
  for (const TokenCount& seen : column.missing_tokens) {
    if (!is_missing_number(seen.token)) words.push_back(seen.token);
  }
  return words;
}

void find_range(const std::vector<double>& numbers, const Rows& rows, InputColumn& input) {
  input.low = kInfinity;
  input.high = -kInfinity;
  for (const std::uint32_t row : rows) {
    if (numbers[row] != numbers[row]) continue;
    input.low = std::min(input.low, numbers[row]);
    input.high = std::max(input.high, numbers[row]);
  }
}

void note_number(const Column& column, const std::vector<double>& numbers, const Rows& rows, const Moments& m,
                 const InputColumn& input, bool standardize, std::vector<std::string>& notes) {
  constexpr double kFloatDigits = 1 << 20;
  const std::string name = excerpt(input.title());
  if (m.count == 0) {
    notes.push_back(name + " has no values: nothing to learn from, --drop it");
    return;
  }
  if (m.scale == 0) notes.push_back(name + " has the same value in every row: nothing to learn from");
  if (m.count < rows.size()) {
    // Words have a remark of their own.
    const std::string tokens = input.missing_tokens.empty() ? list_missing(column) : "";
    notes.push_back(name + ": " + std::to_string(rows.size() - m.count) + " missing values, taken as " +
                    (input.embedded ? "a value of their own" : "the mean") +
                    (tokens.empty() ? "" : "; in the whole file missing are " + tokens));
  }
  if (rows.size() > kRowsToSuspectId && all_distinct_integers(numbers, rows)) {
    notes.push_back(name + " has another whole number in each row: if it is an id, --drop it");
  }
  if (!standardize && m.scale > 0 && std::abs(m.mean) > kFloatDigits * m.scale) {
    notes.push_back(name + " differs in digits that fp32 does not keep: without --standardize none it would");
  }
}

// `segments`: of a number that is embedded, else 0.
Moments fit_statistics(const std::vector<double>& numbers, const Rows& rows, std::size_t segments, InputColumn& input) {
  const Moments m = moments(numbers, rows);
  input.mean = m.mean;
  input.scale = m.scale;
  input.missing_seen = m.count < rows.size();
  find_range(numbers, rows, input);
  if (segments > 0) fit_knots(numbers, rows, segments, input);
  return m;
}

void fit_number(const RawData& raw, const Column& column, const Rows& rows, bool standardize, std::size_t segments,
                InputColumn& input, std::vector<std::string>& notes) {
  require_numbers(column, input.index, *raw.table(), raw.source);
  std::vector<double> read;
  const std::vector<double>& numbers = column.is_text ? (read = numbers_of(column)) : column.numbers;
  const Moments m = fit_statistics(numbers, rows, segments, input);
  input.unit = column.unit;
  input.missing_tokens = missing_words(column);
  note_number(column, numbers, rows, m, input, standardize, notes);
}

// An input for each number that differs from time to time.
void fit_times(const Column& column, const Rows& rows, const TimeColumn& times, std::size_t segments,
               const InputColumn& of_column, std::vector<InputColumn>& out, std::vector<std::string>& notes) {
  const TimeNumbers numbers(column, times.order);
  std::string parts;
  for (const TimePart part : times.parts) {
    InputColumn input = of_column;
    input.kind = InputColumn::Kind::number;
    input.time = part;
    input.order = times.order;
    fit_statistics(numbers.of(part), rows, segments, input);
    parts += (parts.empty() ? "" : ", ") + std::string(name(part));
    out.push_back(std::move(input));
  }
  const std::string column_name = excerpt(of_column.name), key = column_key(of_column.name, of_column.index);
  notes.push_back(column_name + " is read as " +
                  (times.order == DateOrder::none ? "times of day" : "times, and learned from by their " + parts) +
                  "; --categorical " + key + " takes its texts as they are");
  if (times.ambiguous) {
    const bool month_first = times.order == DateOrder::mdy;
    notes.push_back(column_name + " has no day beyond the 12th, which would show what stands first: taken as the " +
                    (month_first ? "month" : "day"));
  }
  if (const auto missing = std::count_if(rows.begin(), rows.end(), [&](auto row) { return column.missing(row); })) {
    notes.push_back(column_name + ": " + std::to_string(missing) + " missing values, taken as " +
                    (segments > 0 ? "a value of their own" : "the mean"));
  }
}

// Whether the column of texts is one of times.
bool fit_if_times(const Column& column, const Rows& rows, std::size_t segments, const InputColumn& of_column,
                  std::vector<InputColumn>& out, std::vector<std::string>& notes) {
  std::string odd;
  const std::optional<TimeColumn> times = find_times(column, rows, odd);
  if (times) fit_times(column, rows, *times, segments, of_column, out, notes);
  if (!odd.empty()) {
    const std::string item = list_item(odd);  // empty where --missing cannot name it
    notes.push_back(excerpt(of_column.name) + " has times, but " + excerpt(odd) + " is none: taken as categories; " +
                    (item.empty() ? "correct it in the file" : "--missing " + item + " makes it a missing value"));
  }
  return times.has_value();
}

void check_category_count(const RawData& raw, const InputColumn& input) {
  const std::size_t most = input.embedded ? kMaxCodes : kMaxCategories;
  if (input.categories.size() <= most) return;
  fail(Status::limit, "too many categories", raw.source + ", column " + excerpt(input.name),
       std::to_string(input.categories.size()) + " distinct texts, the most is " + std::to_string(most),
       (input.embedded ? "--drop " : "--embedding 8, --drop ") + column_key(input.name, input.index) +
           ", or --numeric " + column_key(input.name, input.index) + " if it is numbers");
}

// Of those rows, where inputs are embedded.
TargetOfRows target_of_rows(const Table& table, const Rows& rows, const Recipe& recipe, Task task) {
  TargetOfRows out;
  for (const TargetColumn& target : recipe.targets) {
    const Column& column = table.columns[target.index];
    if (task == Task::classify) {
      const Categories classes = as_categories(column);
      for (const std::uint32_t row : rows) out.classes.push_back(classes.codes[row]);
      return out;
    }
    const std::vector<double> numbers = numbers_of(column);
    std::vector<double>& values = out.values.emplace_back();
    for (const std::uint32_t row : rows) values.push_back(numbers[row]);
  }
  return out;
}

// `target`: of a column that is embedded.
void fit_categories(const RawData& raw, const Column& column, const Rows& rows, const TargetOfRows& target,
                    InputColumn& input, std::vector<std::string>& notes) {
  const Categories found = as_categories(column);
  std::vector<std::size_t> counts(found.texts.size());
  std::size_t missing = 0;
  for (const std::uint32_t row : rows) {
    if (found.codes[row] == kMissingCode) {
      ++missing;
    } else {
      ++counts[found.codes[row]];
    }
  }
  const auto used = static_cast<std::size_t>(counts.size() - std::count(counts.begin(), counts.end(), 0u));
  std::size_t rare = 0, least = 1;
  if (input.embedded) {
    std::vector<std::uint32_t> code_of;
    for (const std::uint32_t row : rows) code_of.push_back(found.codes[row]);
    least = rows_to_tell_apart(code_of, counts.size(), target);
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    if (counts[i] < least) {
      ++rare;
    } else {
      input.categories.push_back(found.texts[i]);
    }
  }
  check_category_count(raw, input);
  sort_categories(input.categories);
  input.missing_category = missing > 0;
  const std::string name = excerpt(input.name);
  if (missing > 0) {
    const std::string tokens = list_missing(column);
    notes.push_back(name + ": " + std::to_string(missing) + " missing values, a category of their own" +
                    (tokens.empty() ? "" : "; in the whole file missing are " + tokens + kKeepApart));
  }
  if (rare > 0) {
    notes.push_back(name + ": " + std::to_string(rare) + " of " + std::to_string(used) +
                    " categories have fewer than " + std::to_string(least) +
                    " rows, too few here to be told apart, and are one together");
  }
  const bool constant = used + (missing > 0 ? 1 : 0) == 1;
  if (constant) notes.push_back(name + " has the same value in every row: nothing to learn from");
  if (used > kRowsToSuspectId && 2 * used > rows.size()) {
    notes.push_back(name + " has " + std::to_string(used) + " distinct texts in " + std::to_string(rows.size()) +
                    " rows" + (input.embedded ? "" : ", a feature each") + ": if it is an id or a date, --drop it");
  }
}

std::vector<bool> named_columns(const Table& table, const std::vector<std::string>& keys,
                                const std::string& parameter) {
  std::vector<bool> named(table.columns.size());
  for (const std::string& key : keys) named[resolve_column(table, key, parameter)] = true;
  return named;
}

InputColumn::Kind kind_of(const Column& column, bool dropped, bool categorical) {
  if (dropped) return InputColumn::Kind::dropped;
  return categorical || (column.is_text && !column.problem) ? InputColumn::Kind::categories : InputColumn::Kind::number;
}

void fit_targets(const Table& table, const Rows& rows, Recipe& recipe, std::vector<std::string>& notes) {
  for (TargetColumn& target : recipe.targets) {
    const Moments m = moments(numbers_of(table.columns[target.index]), rows);
    target.mean = m.mean;
    target.scale = m.scale > 0 ? m.scale : 1;
    if (m.scale == 0) notes.push_back("target " + excerpt(target.name) + " has the same value in every row");
  }
}

void fit_columns(const RawData& raw, const Rows& rows, Task task, const Options& options, Recipe& recipe,
                 std::vector<std::string>& notes) {
  const Table& table = *raw.table();
  std::optional<TargetOfRows> target;  // read where a column of categories is embedded
  const std::vector<bool> dropped = named_columns(table, options.drop, "drop");
  const std::vector<bool> categorical = named_columns(table, options.categorical, "categorical");
  const std::vector<bool> numeric = named_columns(table, options.numeric, "numeric");
  std::vector<bool> targets(table.columns.size());
  for (const TargetColumn& target : recipe.targets) {
    targets[target.index] = true;
    if (!dropped[target.index]) continue;
    fail(Status::invalid_argument, "the target is among the dropped columns", "--drop", excerpt(target.name),
         "choose another column with --target, or do not drop it");
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (categorical[i] && numeric[i]) {
      fail(Status::invalid_argument, "a column is both numeric and categorical", "--numeric",
           excerpt(table.columns[i].name), "one of --numeric and --categorical");
    }
    if (targets[i]) continue;
    Column loaded;
    if (table.columns[i].stored && !dropped[i]) loaded = load_column(table, i);
    const Column& column = table.columns[i].stored && !dropped[i] ? loaded : table.columns[i];
    InputColumn input;
    input.name = column.name;
    input.index = i;
    input.kind = kind_of(column, dropped[i], categorical[i]);
    if (!dropped[i]) notes.insert(notes.end(), column.remarks.begin(), column.remarks.end());
    input.embedded = options.embedding > 0 && !dropped[i];
    const std::size_t segments = input.embedded ? static_cast<std::size_t>(options.bins) : 0;
    const bool may_be_times = input.kind == InputColumn::Kind::categories && !categorical[i];
    if (may_be_times && fit_if_times(column, rows, segments, input, recipe.columns, notes)) continue;
    if (input.kind == InputColumn::Kind::categories) {
      if (!target) target = input.embedded ? target_of_rows(table, rows, recipe, task) : TargetOfRows();
      fit_categories(raw, column, rows, *target, input, notes);
    }
    if (input.kind == InputColumn::Kind::number) {
      fit_number(raw, column, rows, recipe.standardize, segments, input, notes);
    }
    recipe.columns.push_back(std::move(input));
  }
}

std::string targets_among(const Recipe& recipe) {
  if (recipe.targets.size() == 1) return "one of them the target " + excerpt(recipe.targets[0].name);
  return std::to_string(recipe.targets.size()) + " of them targets, " + list_names(target_names(recipe.targets), 5);
}

void fit_table(const RawData& raw, const TargetChoice& target, const Options& options, Recipe& recipe,
               std::vector<std::string>& notes) {
  const Table& table = *raw.table();
  recipe.has_header = table.has_header;
  recipe.separator = table.separator;
  recipe.decimal_comma = table.decimal_comma;
  recipe.missing = options.missing;
  const Rows rows = rows_with_targets(table, target.columns);  // all, where others were left out before
  if (target.task == Task::regress) fit_targets(table, rows, recipe, notes);
  notes.insert(notes.end(), table.remarks.begin(), table.remarks.end());
  for (const std::string& token : table.unused_missing) {
    notes.push_back("the token " + excerpt(token) + " of --missing does not occur");
  }
  if (!table.sparse.empty()) return fit_sparse(raw, rows, recipe, notes);
  fit_columns(raw, rows, target.task, options, recipe, notes);
  if (count_features(recipe) == 0) {
    fail(Status::invalid_argument, "no columns to learn from", raw.source,
         std::to_string(table.columns.size()) + " columns, " + targets_among(recipe) + ", the others dropped",
         "--drop fewer columns");
  }
}

// One mean and one deviation over all pixels: the relation between pixels is what a picture is.
void fit_matrix(const RawData& raw, Recipe& recipe, std::vector<std::string>& notes) {
  const Matrix& matrix = *raw.matrix();
  recipe.is_matrix = true;
  recipe.matrix_cols = matrix.cols;
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

std::string InputColumn::title() const {
  return time == TimePart::none ? name : name + " (" + std::string(halfstep::name(time)) + ")";
}

std::size_t Recipe::inputs_width() const {
  std::size_t width = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) width += continues(i) ? 0 : 1;
  return width;
}

bool Recipe::is_target(std::string_view name) const {
  return std::any_of(targets.begin(), targets.end(), [&](const TargetColumn& target) { return target.name == name; });
}

std::size_t Recipe::index_without_targets(std::size_t index) const {
  const auto before = [&](const TargetColumn& target) { return target.index < index; };
  return index - static_cast<std::size_t>(std::count_if(targets.begin(), targets.end(), before));
}

std::size_t count_features(const Recipe& recipe) {
  std::size_t features = recipe.is_matrix ? recipe.matrix_cols : recipe.sparse_means.size();
  for (const InputColumn& column : recipe.columns) features += column.width();
  return features;
}

Recipe fit_recipe(const RawData& raw, const TargetChoice& target, const Options& options,
                  std::vector<std::string>& notes) {
  Recipe recipe;
  recipe.standardize = options.standardize != "none";
  recipe.targets = target.columns;
  recipe.task = target.task;
  recipe.classes = target.classes;
  recipe.target_description = target.description;
  notes.insert(notes.end(), raw.remarks.begin(), raw.remarks.end());
  notes.insert(notes.end(), target.notes.begin(), target.notes.end());
  if (raw.matrix()) {
    fit_matrix(raw, recipe, notes);
  } else {
    fit_table(raw, target, options, recipe, notes);
  }
  return recipe;
}

}  // namespace halfstep::internal::data
