// The part of a recipe that sparse features have: a mean and a scale for each index.
#pragma once
#include <string>
#include <vector>

#include "data/differences.hpp"
#include "data/recipe.hpp"

namespace halfstep::internal::data {

// Most features by index: a model file has two numbers for each, in a header of bounded size.
constexpr std::size_t kMaxSparseFeatures = std::size_t{1} << 18;

// Of the training rows `rows` of a table with sparse features. An index with two values, one of them 0, is a category
// and becomes 0 and 1 as those of other tables do; others are standardised.
void fit_sparse(const RawData& raw, const std::vector<std::uint32_t>& rows, Recipe& recipe,
                std::vector<std::string>& notes);

// Features of `rows`: sparse where that is smaller. Indices beyond those of training are left out and told.
void apply_sparse(const Recipe& recipe, const RawData& raw, const std::vector<std::uint32_t>& rows, Examples& out,
                  Notes notes);

std::string describe_sparse(const Recipe& recipe);

}  // namespace halfstep::internal::data
