#include "data/several_targets.hpp"

#include <algorithm>

#include "data/differences.hpp"
#include "data/target_columns.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

std::string place_of(const TargetColumn& column, const TargetChoice& choice) {
  return excerpt(column.name) + (choice.stands_apart ? "" : " (column " + std::to_string(column.index) + ")");
}

[[noreturn]] void refuse_classes(const std::string& where, const std::string& why, const std::string& hint) {
  fail(Status::invalid_argument, "several targets are values, not classes", where, why, hint);
}

std::string alone(const TargetColumn& column, const TargetChoice& choice) {
  if (choice.stands_apart) return "labels of one dimension";
  return "a model of its own for it: --target " + column_key(column.name, column.index);
}

void refuse_what_is_no_number(const RawData& raw, const Options& options, const TargetChoice& choice) {
  const Table& table = *raw.table();
  if (options.task == Task::classify) {
    refuse_classes("--task classify", std::to_string(choice.columns.size()) + " targets are named",
                   "one target for classes, or without --task classify");
  }
  for (const std::string& key : options.categorical) {
    const std::size_t index = resolve_column(table, key, "categorical");
    for (const TargetColumn& column : choice.columns) {
      if (column.index == index)
        refuse_classes("--categorical", place_of(column, choice) + " is a target", alone(column, choice));
    }
  }
  for (const TargetColumn& column : choice.columns) {
    const Column& values = table.columns[column.index];
    if (values.is_text && !values.problem) {
      const std::vector<double> numbers = numbers_of(values);
      const bool none = std::all_of(numbers.begin(), numbers.end(), [](double x) { return x != x; });
      const std::string hint = none ? "" : ", or --numeric " + column_key(column.name, column.index);
      if (none || options.task == Task::automatic)
        refuse_classes(raw.source, place_of(column, choice) + " is text", alone(column, choice) + hint);
    }
    require_numbers(values, column.index, table, raw.source);
  }
}

void find_complete_rows(const RawData& raw, TargetChoice& choice) {
  const Table& table = *raw.table();
  choice.rows = rows_with_targets(table, choice.columns);
  if (choice.rows.size() == table.rows && table.rows >= 2) return;
  std::vector<std::size_t> places;
  for (const TargetColumn& column : choice.columns) places.push_back(column.index);
  const std::string which = list_incomplete(table, places, target_names(choice.columns));
  if (choice.rows.size() < 2) {
    fail(Status::invalid_argument, "too few rows to train on", raw.source,
         count_text(table.rows, "row") + ", of which " + std::to_string(choice.rows.size()) + " have all targets" +
             (which.empty() ? "" : ": " + which),
         "fewer targets, or more rows with all of them");
  }
  choice.notes.push_back(count_text(table.rows - choice.rows.size(), "row") +
                         " without all targets left out: " + which);
}

// Of each row one target is 1 and the others are 0: labels, as some programs want them.
bool are_one_hot(const std::vector<std::vector<double>>& values, const std::vector<std::uint32_t>& rows) {
  return std::all_of(rows.begin(), rows.end(), [&](std::uint32_t row) {
    std::size_t ones = 0, others = 0;
    for (const std::vector<double>& column : values) {
      ones += column[row] == 1 ? 1 : 0;
      others += column[row] != 1 && column[row] != 0 ? 1 : 0;
    }
    return ones == 1 && others == 0;
  });
}

void look_at_values(const RawData& raw, const Options& options, TargetChoice& choice) {
  if (options.task != Task::automatic) return;
  std::vector<std::vector<double>> values;
  std::vector<std::string> few;
  for (const TargetColumn& column : choice.columns) {
    values.push_back(numbers_of(raw.table()->columns[column.index]));
    if (looks_like_classes(values.back(), choice.rows)) few.push_back(column.name);
  }
  if (are_one_hot(values, choice.rows)) {
    fail(Status::invalid_argument, "the targets look like labels", raw.source,
         "in each row one of " + list_names(target_names(choice.columns), 3) + " is 1 and the others are 0",
         "one column with the class of each row (numpy.argmax(y, axis=1)), or --task regress for so many values");
  }
  if (few.empty()) return;
  choice.notes.push_back(list_names(few, 5) + (few.size() == 1 ? " has" : " have") +
                         " few whole numbers, taken as quantities since there are several targets");
}

}  // namespace

void note_other_labels(const Table& table, TargetChoice& choice) {
  std::vector<std::string> others;
  for (std::size_t i = table.columns.size() - table.labels; i < table.columns.size(); ++i) {
    const auto same = [&](const TargetColumn& column) { return column.index == i; };
    if (std::none_of(choice.columns.begin(), choice.columns.end(), same)) others.push_back(table.columns[i].name);
  }
  if (others.empty()) return;
  choice.notes.push_back("labels that are no target are inputs: " + list_names(others, 5) + "; --drop leaves them out");
}

void choose_values(const RawData& raw, const Options& options, TargetChoice& choice) {
  choice.task = Task::regress;
  refuse_what_is_no_number(raw, options, choice);
  find_complete_rows(raw, choice);
  look_at_values(raw, options, choice);
  constexpr std::size_t kMost = 5;
  for (std::size_t i = 0; i < std::min(kMost, choice.columns.size()); ++i) {
    choice.description += (i > 0 ? ", " : "") + place_of(choice.columns[i], choice);
  }
  const std::size_t count = choice.columns.size();
  if (count > kMost) choice.description += " and " + std::to_string(count - kMost) + " more";
  choice.description += ": regression, " + std::to_string(count) + " targets";
}

}  // namespace halfstep::internal::data
