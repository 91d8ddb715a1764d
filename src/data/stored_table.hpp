// Parts of a table whose columns lie on a disk, brought into memory.
#pragma once
#include <cstddef>
#include <vector>

#include "data/table.hpp"

namespace halfstep::internal::data {

// The column as a table in memory has it.
Column load_column(const Table& table, std::size_t column);

// Some neighbouring rows, as a table of their own in memory: those columns that are `wanted`; without it all.
Table load_rows(const Table& table, std::size_t first, std::size_t count, const std::vector<bool>& wanted = {});

}  // namespace halfstep::internal::data
