// Text to value and back, for the parameter registry. Nothing here depends on the locale.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/enum_names.hpp"

namespace halfstep::internal::options {

// Throws Error(invalid_argument) naming the parameter, the value and what is accepted.
[[noreturn]] void reject(std::string_view name, std::string_view value, std::string why);

// The whole text must be the number; the range is inclusive.
std::int64_t parse_integer(std::string_view name, std::string_view text, std::int64_t least, std::int64_t most);
std::uint64_t parse_unsigned(std::string_view name, std::string_view text);
double parse_number(std::string_view name, std::string_view text);  // finite
bool parse_flag(std::string_view name, std::string_view text);
std::vector<std::string> parse_list(std::string_view text);  // separated by commas, "" is the empty list
std::string join(const std::vector<std::string>& items, char separator);
std::string list_text(const std::vector<std::string>& items);  // what parse_list takes

// `text`, which must be one of the choices "a|b|c".
std::string parse_choice(std::string_view name, std::string_view text, std::string_view choices);

// The enumerator of that name, which must be one of `choices`.
template <Named E>
E parse_name(std::string_view name, std::string_view text, std::string_view choices) {
  return from_name<E>(parse_choice(name, text, choices)).value();
}

// Scaling by a power of two loses nothing; the bounds keep its reciprocal an ordinary fp32 number.
bool is_scale(double value);

}  // namespace halfstep::internal::options
