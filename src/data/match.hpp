// Finds the columns of a model in another table.
#pragma once
#include <string>
#include <vector>

#include "data/differences.hpp"
#include "data/recipe.hpp"

namespace halfstep::internal::data {

// Where each column of the recipe, and each target, stands in a table; kUnknown: nowhere.
struct Places {
  std::vector<std::size_t> inputs;
  std::vector<std::size_t> targets;
};

// By name where both have names, else by position. Throws Error(format) where a column is missing; tells of columns
// that are too many, of another order, and of names that are not there.
Places match_columns(const Recipe& recipe, const Table& table, const std::string& source, bool need_targets,
                     Notes notes);

}  // namespace halfstep::internal::data
