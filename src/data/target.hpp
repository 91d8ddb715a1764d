// What is to be predicted: which column, as what, and from which rows.
#pragma once
#include <string>
#include <vector>

#include "data/recipe.hpp"
#include "data/split.hpp"

namespace halfstep::data {

// Chosen from all rows of a file, before any is held out.
struct TargetChoice {
  std::size_t index = 0;
  std::string name;
  Task task = Task::classify;  // never automatic
  std::string description;
  std::vector<std::string> classes;     // empty for regression
  std::vector<std::uint32_t> rows;      // that have a target, ascending
  std::vector<std::uint32_t> class_of;  // of each of `rows`, a place in `classes`
  std::vector<std::string> notes;       // what a user could regret
};

// Throws Error(invalid_argument) where no training is possible, saying why, and Error(format) for numbers that cannot
// be used.
TargetChoice choose_target(const RawData& raw, const Options& options);

// As split_rows, of the rows that have a target; at least one row of each class stays in training.
Split split_rows(const TargetChoice& target, double validation, std::uint64_t seed);

std::vector<std::string> column_names(const Table& table);

// Position of a column the user names. Throws Error(invalid_argument) with the nearest name as a hint.
std::size_t resolve_column(const Table& table, const std::string& key, const std::string& parameter);

// "'NA' (17), empty (3)": what was taken as missing; nothing where only empty cells were.
std::string list_missing(const Column& column);

struct Moments {
  double mean = 0;
  double scale = 0;  // standard deviation over n; 0: constant
  std::size_t count = 0;
};

// Of the values present among `rows`; safe for any finite values.
Moments moments(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows);

}  // namespace halfstep::data
