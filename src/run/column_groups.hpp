// The features that stand for a column of a table, or for a field of a picture, and what is done with all of them at
// once.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.hpp"
#include "data/examples.hpp"
#include "data/recipe.hpp"

namespace halfstep::internal {

// Features that change together.
struct ColumnGroup {
  std::string name;
  std::size_t first = 0, width = 1;
  std::size_t rows = 1, stride = 0;           // of a field of a picture: so many rows of pixels
  const data::InputColumn* column = nullptr;  // of a table
};

// Of each column that says something, in the order of the features; `recipe` must outlive them.
std::vector<ColumnGroup> column_groups(const data::Recipe& recipe);

// So many of the rows, evenly over the set.
data::Examples sample_rows(const data::Examples& examples, std::size_t rows);

// Row i of `examples` gets these features from row order[i] of `original`, which is the same set, in full.
void take_group(data::Examples& examples, const data::Examples& original, const ColumnGroup& group,
                const std::vector<std::uint32_t>& order);

std::vector<std::uint32_t> rows_in_order(std::size_t rows);
std::vector<std::uint32_t> rows_by_chance(std::size_t rows, const Rng& random);

}  // namespace halfstep::internal
