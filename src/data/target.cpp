#include "data/target.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/text.hpp"

namespace halfstep::data {
namespace {

constexpr std::size_t kFewClasses = 20;  // whole numbers with more distinct values are taken as quantities

std::size_t target_column(const Table& table, const Options& options) {
  const std::vector<std::string> names = column_names(table);
  const bool named_last = std::find(names.begin(), names.end(), "last") != names.end();
  if (options.target.empty() || (options.target == "last" && !named_last)) return table.columns.size() - 1;
  return resolve_column(table, options.target, "target");
}

std::string place(const Recipe& recipe) {
  return excerpt(recipe.target) + " (column " + std::to_string(recipe.target_index) + ")";
}

std::vector<std::uint32_t> rows_with_target(const RawData& raw, const Recipe& recipe, std::vector<std::string>& notes) {
  const Table& table = *raw.table();
  const Column& target = table.columns[recipe.target_index];
  std::vector<std::uint32_t> rows;
  for (std::size_t row = 0; row < table.rows; ++row) {
    if (!target.missing(row)) rows.push_back(static_cast<std::uint32_t>(row));
  }
  const std::size_t dropped = table.rows - rows.size();
  if (rows.size() < 2) {
    fail(Status::invalid_argument, "too few rows to train on", raw.source,
         std::to_string(table.rows) + " rows, of which " + std::to_string(rows.size()) + " have a target in " +
             place(recipe));
  }
  if (dropped > 0)
    notes.push_back(std::to_string(dropped) + " rows without a target in " + place(recipe) + " left out");
  return rows;
}

// The distinct texts that occur in `rows`.
std::vector<std::string> used_texts(const Categories& categories, const std::vector<std::uint32_t>& rows) {
  std::vector<bool> used(categories.texts.size());
  for (const std::uint32_t row : rows) used[categories.codes[row]] = true;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) texts.push_back(categories.texts[i]);
  }
  return texts;
}

struct NumberKinds {
  bool whole = true;
  std::vector<double> distinct;  // at most kFewClasses + 1
};

NumberKinds look_at_numbers(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows) {
  NumberKinds kinds;
  for (const std::uint32_t row : rows) {
    const double number = numbers[row];
    kinds.whole = kinds.whole && number == std::floor(number);
    if (kinds.distinct.size() > kFewClasses) continue;
    if (std::find(kinds.distinct.begin(), kinds.distinct.end(), number) == kinds.distinct.end()) {
      kinds.distinct.push_back(number);
    }
  }
  return kinds;
}

Task choose_task(const RawData& raw, const Column& target, const Recipe& recipe, const Options& options,
                 const std::vector<std::uint32_t>& rows, std::string& reason) {
  const auto named = [&](const std::string& key) { return resolve_column(*raw.table(), key, "categorical"); };
  reason = "as asked for";
  if (options.task != Task::automatic) return options.task;
  for (const std::string& key : options.categorical) {
    if (named(key) == recipe.target_index) return Task::classify;
  }
  if (target.is_text) {
    reason = "because its values are text";
    return Task::classify;
  }
  const NumberKinds kinds = look_at_numbers(target.numbers, rows);
  const bool few = kinds.distinct.size() <= kFewClasses;
  reason = !kinds.whole ? "because its values are not all whole numbers"
           : few        ? "because its values are few whole numbers"
                        : "because it has more than " + std::to_string(kFewClasses) + " distinct numbers";
  return kinds.whole && few ? Task::classify : Task::regress;
}

void check_classes(const std::vector<std::string>& classes, std::size_t rows, const std::string& where) {
  const std::string counts = std::to_string(classes.size()) + " distinct values in " + std::to_string(rows) + " rows";
  if (classes.size() < 2) {
    fail(Status::invalid_argument, "nothing to classify", where, "every row is of the one class " + list_names(classes),
         "choose another column with --target");
  }
  if (classes.size() > kMaxCategories || (classes.size() > kFewClasses && classes.size() * 2 > rows)) {
    fail(Status::invalid_argument, "too many classes", where, counts + ": this looks like an id or a quantity",
         "choose another column with --target, or use --task regress for a quantity");
  }
}

void fit_regression(const RawData& raw, const std::vector<std::uint32_t>& rows, Recipe& recipe,
                    std::vector<std::string>& notes) {
  const Column& target = raw.table()->columns[recipe.target_index];
  require_numbers(target, recipe.target_index, *raw.table(), raw.source);
  const Moments m = moments(target.numbers, rows);
  recipe.target_mean = m.mean;
  recipe.target_scale = m.scale > 0 ? m.scale : 1;
  if (m.scale == 0) notes.push_back("target " + place(recipe) + " has the same value in every row");
}

}  // namespace

std::vector<std::string> column_names(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}

std::size_t resolve_column(const Table& table, const std::string& key, const std::string& parameter) {
  const std::vector<std::string> names = column_names(table);
  const std::size_t found = find_column(names, key);
  if (found < names.size()) return found;
  const std::string close = nearest(key, names);
  fail(Status::invalid_argument, "no such column", "--" + parameter, excerpt(key),
       close.empty() ? "the columns are " + list_names(names, 20) : excerpt(close));
}

namespace {

// In units of the range from the smallest value: differences are exact where sums of the values would lose them.
void measure_from(double low, double range, const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows,
                  Moments& m) {
  const auto offset = [&](std::uint32_t row) { return (numbers[row] - low) / range; };
  double sum = 0;
  for (const std::uint32_t row : rows) sum += numbers[row] == numbers[row] ? offset(row) : 0;
  const double mean = sum / static_cast<double>(m.count);
  double squares = 0;
  for (const std::uint32_t row : rows) {
    const double d = numbers[row] == numbers[row] ? offset(row) - mean : 0;
    squares += d * d;
  }
  m.mean = low + mean * range;
  m.scale = std::sqrt(squares / static_cast<double>(m.count)) * range;
}

}  // namespace

Moments moments(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows) {
  constexpr double kTiny = 1e-300;  // smaller deviations cannot be divided by
  constexpr double kFar = 1e6;      // deviations from zero, as time stamps and large sums of money have them
  Moments m;
  double largest = 0;
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const std::uint32_t row : rows) {
    const double x = numbers[row];
    if (x != x) continue;
    ++m.count;
    largest = std::max(largest, std::abs(x));
    low = std::min(low, x);
    high = std::max(high, x);
  }
  if (m.count == 0 || low == high) {
    m.mean = m.count == 0 ? 0 : low;
    return m;
  }
  // In units of the largest value, so that no square overflows.
  double sum = 0;
  for (const std::uint32_t row : rows) sum += numbers[row] == numbers[row] ? numbers[row] / largest : 0;
  const double mean = sum / static_cast<double>(m.count);
  double squares = 0;
  for (const std::uint32_t row : rows) {
    const double d = numbers[row] == numbers[row] ? numbers[row] / largest - mean : 0;
    squares += d * d;
  }
  m.mean = mean * largest;
  m.scale = std::sqrt(squares / static_cast<double>(m.count)) * largest;
  if (std::abs(m.mean) > kFar * m.scale && high - low < largest) measure_from(low, high - low, numbers, rows, m);
  if (m.scale < kTiny) m.scale = 0;
  return m;
}

std::vector<std::uint32_t> fit_target(const RawData& raw, const Options& options, Recipe& recipe,
                                      std::vector<std::string>& notes) {
  const Table& table = *raw.table();
  recipe.target_index = target_column(table, options);
  const Column& target = table.columns[recipe.target_index];
  recipe.target = target.name;
  const std::vector<std::uint32_t> rows = rows_with_target(raw, recipe, notes);
  std::string reason;
  recipe.task = choose_task(raw, target, recipe, options, rows, reason);
  std::string kind = "regression";
  if (recipe.task == Task::classify) {
    if (target.problem && options.task == Task::automatic) throw Error(Status::format, *target.problem);
    recipe.classes = used_texts(as_categories(target), rows);
    check_classes(recipe.classes, rows.size(), raw.source + ", " + place(recipe));
    sort_categories(recipe.classes);
    kind = "classification, " + std::to_string(recipe.classes.size()) + " classes";
  } else {
    fit_regression(raw, rows, recipe, notes);
  }
  recipe.target_description = place(recipe) + ": " + kind + ", " + reason;
  return rows;
}

void fit_labels(const RawData& raw, const Options& options, Recipe& recipe) {
  const Matrix& matrix = *raw.matrix();
  if (options.task == Task::regress) {
    fail(Status::unsupported, "no regression on images", raw.source, "labels are classes");
  }
  if (!options.target.empty() || !options.drop.empty() || !options.categorical.empty()) {
    fail(Status::invalid_argument, "images have no columns to name", raw.source,
         "--target, --drop and --categorical are for tables");
  }
  if (matrix.labels.empty()) {
    fail(Status::format, "no labels", raw.source,
         matrix.labels_source.empty() ? "" : matrix.labels_source + " is not there", "name their file with --labels");
  }
  std::vector<std::int32_t> distinct = matrix.labels;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  recipe.task = Task::classify;
  for (const std::int32_t label : distinct) recipe.classes.push_back(std::to_string(label));
  check_classes(recipe.classes, matrix.rows, raw.source);
  recipe.target = "label";
  recipe.target_description =
      "labels: classification, " + std::to_string(distinct.size()) + " classes, because they are labels of images";
}

}  // namespace halfstep::data
