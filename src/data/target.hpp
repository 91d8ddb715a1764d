// What is to be predicted: which columns, as what, and from which rows.
#pragma once
#include <string>
#include <vector>

#include "data/columns.hpp"
#include "data/recipe.hpp"

namespace halfstep::internal::data {

// Chosen from all rows of a file, before any is held out.
struct TargetChoice {
  std::vector<TargetColumn> columns;  // one; several are values
  bool stands_apart = false;          // labels of their own, no column that a user would count
  Task task = Task::classify;         // never automatic
  std::string description;
  std::vector<std::string> classes;     // empty for regression
  std::vector<std::uint32_t> rows;      // that have a target, or all of several, ascending
  std::vector<std::uint32_t> class_of;  // of each of `rows`, a place in `classes`
  std::vector<std::string> notes;       // what a user could regret
};

// Throws Error(invalid_argument) where no training is possible, saying why, and Error(format) for numbers that cannot
// be used.
TargetChoice choose_target(const RawData& raw, const Options& options);

}  // namespace halfstep::internal::data
