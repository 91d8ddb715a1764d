#include "data/target.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "data/several_targets.hpp"
#include "data/sniff_dialect.hpp"
#include "data/target_columns.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kFewClasses = 20;  // whole numbers with more distinct values are taken as quantities

std::string place(const TargetChoice& choice, std::size_t i = 0) {
  const std::string column = " (column " + std::to_string(choice.columns[i].index) + ")";
  return excerpt(choice.columns[i].name) + (choice.stands_apart ? "" : column);
}

std::string other_target(bool stands_apart) {
  return stands_apart ? "other labels" : "choose another column with --target";
}

// What was taken as missing in the target, and how to have it otherwise.
std::string missing_text(const Column& target, const Options& options) {
  const std::string tokens = list_missing(target);
  if (tokens.empty()) return {};
  const bool could_be_class = target.is_text && options.missing.empty();
  return "; taken as missing: " + tokens +
         (could_be_class ? "; to keep them as a class, name with --missing what does mean missing" : "");
}

void find_rows(const RawData& raw, const Options& options, TargetChoice& choice) {
  const Table& table = *raw.table();
  const Column& target = table.columns[choice.columns[0].index];
  choice.rows = rows_with_targets(table, choice.columns);
  const std::size_t dropped = table.rows - choice.rows.size();
  if (choice.rows.size() < 2) {
    fail(Status::invalid_argument, "too few rows to train on", raw.source,
         std::to_string(table.rows) + " rows, of which " + std::to_string(choice.rows.size()) + " have a target in " +
             place(choice) + missing_text(target, options),
         choice.stands_apart ? "more rows with labels" : other_target(false));
  }
  if (dropped == 0) return;
  choice.notes.push_back(std::to_string(dropped) + (dropped == 1 ? " row" : " rows") + " without a target in " +
                         place(choice) + " left out" + missing_text(target, options));
}

// The classes that occur, sorted, and that of each row.
void find_classes(const Column& target, TargetChoice& choice) {
  const Categories categories = as_categories(target);
  std::vector<bool> used(categories.texts.size());
  for (const std::uint32_t row : choice.rows) used[categories.codes[row]] = true;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) choice.classes.push_back(categories.texts[i]);
  }
  sort_categories(choice.classes);
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (std::uint32_t i = 0; i < choice.classes.size(); ++i) places.emplace(choice.classes[i], i);
  std::vector<std::uint32_t> place_of_text(used.size());
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) place_of_text[i] = places.at(categories.texts[i]);
  }
  for (const std::uint32_t row : choice.rows) choice.class_of.push_back(place_of_text[categories.codes[row]]);
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

Task choose_task(const RawData& raw, const Column& target, const TargetChoice& choice, const Options& options,
                 std::string& reason) {
  const auto named = [&](const std::string& key) { return resolve_column(*raw.table(), key, "categorical"); };
  reason = "as asked for";
  if (options.task != Task::automatic) return options.task;
  for (const std::string& key : options.categorical) {
    if (named(key) == choice.columns[0].index) return Task::classify;
  }
  if (target.is_text) {
    reason = "because its values are text";
    return Task::classify;
  }
  const NumberKinds kinds = look_at_numbers(target.numbers, choice.rows);
  const bool few = kinds.distinct.size() <= kFewClasses;
  reason = !kinds.whole ? "because its values are not all whole numbers"
           : few        ? "because its values are few whole numbers"
                        : "because it has more than " + std::to_string(kFewClasses) + " distinct numbers";
  return kinds.whole && few ? Task::classify : Task::regress;
}

// `left_out` says what else there was.
void check_classes(const std::vector<std::string>& classes, std::size_t rows, bool text, bool stands_apart,
                   const std::string& where, const std::string& left_out) {
  const std::string counts = std::to_string(classes.size()) + " distinct values in " + std::to_string(rows) + " rows";
  if (classes.size() < 2) {
    fail(Status::invalid_argument, "nothing to classify", where,
         "every row is of the one class " + list_names(classes) + left_out, other_target(stands_apart));
  }
  if (classes.size() > kMaxCategories || (classes.size() > kFewClasses && classes.size() * 2 > rows)) {
    fail(Status::invalid_argument, "too many classes", where,
         counts + (text ? ": this looks like an id" : ": this looks like an id or a quantity"),
         other_target(stands_apart) + (text ? "" : ", or use --task regress for a quantity"));
  }
}

// Classes that one row alone has: nothing can be said of how well they are predicted.
void note_rare_classes(TargetChoice& choice) {
  std::vector<std::size_t> counts(choice.classes.size());
  for (const std::uint32_t c : choice.class_of) ++counts[c];
  std::vector<std::string> rare;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 1) rare.push_back(choice.classes[i]);
  }
  if (rare.empty()) return;
  choice.notes.push_back(std::to_string(rare.size()) + (rare.size() == 1 ? " class has" : " classes have") +
                         " a single row, kept in training: " + list_names(rare, 5));
}

void note_number_classes(const Options& options, const Column& target, TargetChoice& choice) {
  if (options.task != Task::automatic || target.is_text || choice.classes.size() < 3) return;
  choice.notes.push_back("the numbers of " + place(choice) + " are taken as " + std::to_string(choice.classes.size()) +
                         " classes; if they are a score or a count, --task regress");
}

// 1, 2, 3, ... in the order of the rows, or in any.
void note_id(const std::vector<double>& numbers, std::size_t target, TargetChoice& choice) {
  std::vector<double> sorted;
  for (const std::uint32_t row : choice.rows) sorted.push_back(numbers[row]);
  std::sort(sorted.begin(), sorted.end());
  if (sorted.size() <= kFewClasses || sorted[0] != std::floor(sorted[0])) return;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i] != sorted[i - 1] + 1) return;
  }
  choice.notes.push_back("the target " + place(choice, target) + " counts the rows: it looks like an id; " +
                         other_target(choice.stands_apart));
}

void note_default_target(const RawData& raw, const Options& options, TargetChoice& choice) {
  const bool is_plain = raw.source.starts_with("builtin:") || raw.table()->labels > 0;
  if (!options.target.empty() || is_plain) return;
  choice.notes.push_back("the target is the last column, " + excerpt(choice.columns[0].name) +
                         ", since --target names none");
}

void refuse_names(const Options& options, const std::string& source, const char* what, const char* hint) {
  if (options.target.empty() && options.drop.empty() && options.categorical.empty() && options.numeric.empty()) return;
  fail(Status::invalid_argument, what, source,
       "--target, --drop, --categorical and --numeric are for tables with columns", hint);
}

TargetChoice choose_several(const RawData& raw, const Options& options, TargetChoice choice) {
  choose_values(raw, options, choice);
  for (std::size_t i = 0; i < choice.columns.size(); ++i) {
    const Column& target = raw.table()->columns[choice.columns[i].index];
    choice.notes.insert(choice.notes.end(), target.remarks.begin(), target.remarks.end());
    note_id(numbers_of(target), i, choice);
  }
  return choice;
}

TargetChoice choose_column(const RawData& raw, const Options& options) {
  const Table& table = *raw.table();
  if (!table.sparse.empty())
    refuse_names(options, raw.source, "a LIBSVM file has no columns to name",
                 "without them, or --format csv if it is a table");
  if (table.sparse.empty() && table.columns.size() < 2) {
    fail(Status::format, "the table has one column only", raw.source,
         "no separator (" + known_separators() + ") cuts its lines into as many fields each",
         "--separator, if it is another sign");
  }
  TargetChoice choice;
  choice.columns = target_columns(table, options.target);
  choice.stands_apart = table.labels > 0;
  if (table.labels > 1) note_other_labels(table, choice);
  if (choice.columns.size() > 1) return choose_several(raw, options, std::move(choice));
  const std::size_t index = choice.columns[0].index;
  const Column& target = table.columns[index];
  note_default_target(raw, options, choice);
  find_rows(raw, options, choice);
  std::string reason;
  choice.task = choose_task(raw, target, choice, options, reason);
  std::string kind = "regression";
  choice.notes.insert(choice.notes.end(), target.remarks.begin(), target.remarks.end());
  if (choice.task == Task::classify) {
    if (target.problem && options.task == Task::automatic) throw Error(Status::format, *target.problem);
    find_classes(target, choice);
    check_classes(choice.classes, choice.rows.size(), target.is_text, choice.stands_apart,
                  raw.source + ", " + place(choice), missing_text(target, options));
    note_number_classes(options, target, choice);
    note_rare_classes(choice);
    kind = "classification, " + std::to_string(choice.classes.size()) + " classes";
  } else {
    require_numbers(target, index, table, raw.source);
    note_id(numbers_of(target), 0, choice);
  }
  choice.description = place(choice) + ": " + kind + ", " + reason;
  return choice;
}

// Classes of a matrix from its labels.
TargetChoice choose_labels(const RawData& raw, const Options& options) {
  const Matrix& matrix = *raw.matrix();
  if (options.task == Task::regress) {
    fail(Status::unsupported, "no regression on images", raw.source, "labels are classes");
  }
  refuse_names(options, raw.source, "images have no columns to name", "without them");
  if (matrix.labels.empty()) {
    fail(Status::format, "no labels", raw.source,
         matrix.labels_source.empty() ? "" : matrix.labels_source + " is not there", "name their file with --labels");
  }
  std::vector<std::int32_t> distinct = matrix.labels;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  TargetChoice choice;
  choice.columns = {{.name = "label"}};
  for (const std::int32_t label : distinct) choice.classes.push_back(std::to_string(label));
  check_classes(choice.classes, matrix.rows, true, true, raw.source, "");
  choice.rows.resize(matrix.rows);
  std::iota(choice.rows.begin(), choice.rows.end(), 0u);
  for (const std::int32_t label : matrix.labels) {
    const auto place = std::lower_bound(distinct.begin(), distinct.end(), label) - distinct.begin();
    choice.class_of.push_back(static_cast<std::uint32_t>(place));
  }
  note_rare_classes(choice);
  choice.description =
      "labels: classification, " + std::to_string(distinct.size()) + " classes, because they are labels of images";
  return choice;
}

}  // namespace

bool looks_like_classes(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows) {
  const NumberKinds kinds = look_at_numbers(numbers, rows);
  return kinds.whole && kinds.distinct.size() <= kFewClasses;
}

TargetChoice choose_target(const RawData& raw, const Options& options) {
  return raw.matrix() ? choose_labels(raw, options) : choose_column(raw, options);
}

}  // namespace halfstep::internal::data
