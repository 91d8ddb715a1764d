// Text in UTF-16, as spreadsheets on Windows save it.
#pragma once
#include <string_view>

#include "data/source.hpp"

namespace halfstep::internal::data {

// Whether a byte order mark of UTF-16 stands in front.
bool is_utf16(std::string_view bytes);

// The same text in UTF-8, without the mark. Throws Error(format) naming the line for half a character, and Error(limit)
// beyond `max_bytes`.
Source utf8_of_utf16(const Source& source, std::uint64_t max_bytes = kMaxInputBytes);

}  // namespace halfstep::internal::data
