// The columns that are to be predicted: how users name them, and the rows that have them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/recipe.hpp"

namespace halfstep::internal::data {

constexpr std::size_t kMaxTargets = 1000;

// What `target`, as --target has it, names: one column where there is one of that name, index or place, else the items
// of a list. Nothing: the last.
std::vector<std::string> target_keys(std::span<const std::string> names, const std::string& target);

// Position of the column that is named, has that index, or is "last"; `names.size()` when there is none.
std::size_t find_target(std::span<const std::string> names, std::string_view key);

// The columns that --target names, or labels that stand apart, in that order. Throws Error(invalid_argument) where
// there is no such column or one is named twice, Error(limit) for too many.
std::vector<TargetColumn> target_columns(const Table& table, const std::string& target);

std::vector<std::string> target_names(const std::vector<TargetColumn>& targets);

// The rows in which no column of `places` is missing.
std::vector<std::uint32_t> rows_with_all(const Table& table, const std::vector<std::size_t>& places);
std::vector<std::uint32_t> rows_with_targets(const Table& table, const std::vector<TargetColumn>& targets);

// "'height' is missing in 3 rows, 'weight' in 1 row": which columns of `places` lack values.
std::string list_incomplete(const Table& table, const std::vector<std::size_t>& places,
                            const std::vector<std::string>& names);

}  // namespace halfstep::internal::data
