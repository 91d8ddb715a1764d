// Ways to look at a column of a table: as numbers, as categories, by its name.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/table.hpp"

namespace halfstep::internal::data {

constexpr std::size_t kUnknown = static_cast<std::size_t>(-1);

// Place of a text among a column's categories, or kUnknown. "1.0" is found as "1" where it does not stand itself.
std::size_t find_category(const std::vector<std::string>& names, std::string_view text);

// A column seen as categories: distinct texts, and the place in them of every row.
struct Categories {
  std::vector<std::string> texts;
  std::vector<std::uint32_t> codes;  // kMissingCode where missing
};
Categories as_categories(const Column& column);

// Throws Error(format) unless each cell is a number or missing: what is not, with its line.
void require_numbers(const Column& column, std::size_t index, const Table& table, const std::string& source);

// The numbers of such a column, NaN where missing, whether it was read as numbers or as texts.
std::vector<double> numbers_of(const Column& column);

std::vector<std::string> column_names(const Table& table);

// Position of a column the user names. Throws Error(invalid_argument) with the nearest name as a hint.
std::size_t resolve_column(const Table& table, const std::string& key, const std::string& parameter);

// "'NA' (17), empty (3)": what was taken as missing; nothing where only empty cells were.
std::string list_missing(const Column& column);

}  // namespace halfstep::internal::data
