// Parts of a table whose columns lie on a disk, brought into memory.
#pragma once
#include <cstddef>

#include "data/examples.hpp"
#include "data/recipe.hpp"
#include "data/table.hpp"

namespace halfstep::internal::data {

// The column as a table in memory has it.
Column load_column(const Table& table, std::size_t column);

// Some neighbouring rows, as a table of their own in memory.
Table load_rows(const Table& table, std::size_t first, std::size_t count);

}  // namespace halfstep::internal::data
