// What is to be predicted: which column, as what, and from which rows.
#pragma once
#include <string>
#include <vector>

#include "data/columns.hpp"
#include "data/recipe.hpp"

namespace halfstep::internal::data {

// Chosen from all rows of a file, before any is held out.
struct TargetChoice {
  std::size_t index = 0;
  std::string name;
  bool stands_apart = false;   // labels of their own, no column that a user would count
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

}  // namespace halfstep::internal::data
