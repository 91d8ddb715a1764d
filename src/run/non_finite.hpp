// Rows that a model has no finite output for: an inf or NaN on the way to it, which is no reason to choose a class.
#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "run/model_file.hpp"

namespace halfstep::internal {

// How many and, where they are given, which (from 0), why, and how to train so that it does not happen; in one line.
std::string non_finite_warning(const SavedModel& model, std::int64_t count, std::int64_t of,
                               std::span<const std::int64_t> rows = {});

// Of a model whose outputs are finite though weights are not: an activation hides an infinite one. Empty: all are
// finite.
std::string bad_weights_warning(const SavedModel& model);

}  // namespace halfstep::internal
