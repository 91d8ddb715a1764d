// A model's knowledge of its inputs, for a new run that starts from its weights.
#pragma once
#include <string>
#include <vector>

#include "data/recipe.hpp"

namespace halfstep::internal::data {

// `fitted`, a recipe for new data, with the inputs of `known` in place of its own: the same columns with the same
// means, scales and categories, in the same order of features. Other columns are left aside, which `notes` gets. Throws
// Error(format) where the new data has no such inputs; `source` is its name.
Recipe with_inputs_of(const Recipe& known, Recipe fitted, const std::string& source, std::vector<std::string>& notes);

// Whether the outputs mean the same: classes, or the same targets, which then keep the means and scales of `known`.
bool take_targets_of(const Recipe& known, Recipe& fitted);

}  // namespace halfstep::internal::data
