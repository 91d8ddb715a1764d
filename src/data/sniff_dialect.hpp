// How a file of separated text is written: found by trying, or given.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "data/dialect.hpp"

namespace halfstep::internal::data {

// "comma", "blanks", ..., or the sign itself.
std::string separator_name(char separator);
// By name or sign. Throws Error(invalid_argument).
char separator_of(const std::string& name);
std::string known_separators();  // for messages

// The separator that makes the records agree in their number of fields and shows most numbers; `given` where the user
// names one ("auto": none), `expected` numbers of fields that are likely, `usual` the separator that then comes first.
Dialect sniff_dialect(std::string_view text, const std::string& given, std::span<const std::size_t> expected = {},
                      char usual = ',');

}  // namespace halfstep::internal::data
