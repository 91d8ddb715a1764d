// Small helpers about text: numbers from it, names in messages, UTF-8.
#pragma once
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/error.hpp"

namespace halfstep::internal::data {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool has_digit(std::string_view text);

enum class CellKind { number, text, not_finite };

// Whole-text, locale-free parse. "1e-400" is 0; "1e400", "inf" and "nan" are not_finite; "0x1", "1,5" are text.
CellKind parse_number(std::string_view text, double& number);

// The name of a category that is a number: "+1" and "1.0" are "1"; anything else stays as it stands.
std::string category_name(std::string_view text);
std::string category_name(double number);

// Numbers by value, then texts by bytes.
void sort_categories(std::vector<std::string>& names);

// Quoted and escaped, at most 64 bytes of the text: safe in messages.
std::string excerpt(std::string_view text);

// "'a', 'b', 'c' and 12 more"
std::string list_names(std::span<const std::string> names, std::size_t most = 10);

// Position of a column given by name, or by index from 0; `names.size()` when there is none.
std::size_t find_column(std::span<const std::string> names, std::string_view key);

// An item of a list as one puts it behind a flag, quoted for a shell; empty where a list cannot hold it.
std::string list_item(const std::string& text);

// A column as one puts it behind a flag: its name, quoted for a shell, or its index where the name does not do.
std::string column_key(const std::string& name, std::size_t index);

std::string lowercase(std::string_view text);

[[noreturn]] void fail(Status status, std::string what, std::string where, std::string why, std::string hint = {});

}  // namespace halfstep::internal::data
