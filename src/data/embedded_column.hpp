// How columns of a table become the inputs of a network that embeds them (ColumnEmbedding).
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/recipe.hpp"
#include "halfstep/model_spec.hpp"

namespace halfstep::internal::data {

// Median, scale and knots of a number, from the values of `rows`, at most `segments` between its knots. NaN is missing.
void fit_knots(const std::vector<double>& numbers, const std::vector<std::uint32_t>& rows, std::size_t segments,
               InputColumn& column);

inline constexpr double kEmbeddedClip = 3;  // deviations from the median, where values far out end

// The two inputs of a number.
float embedded_value(const InputColumn& column, double number);
float embedded_place(const InputColumn& column, double number);

// Of each column that is no target and not dropped; empty where the recipe embeds none.
std::vector<ColumnEmbedding> embedded_columns(const Recipe& recipe);

// Whether networks that embed the one or the other read the same inputs: all but what a network makes of a number.
bool same_inputs(const std::vector<ColumnEmbedding>& a, const std::vector<ColumnEmbedding>& b);

}  // namespace halfstep::internal::data
