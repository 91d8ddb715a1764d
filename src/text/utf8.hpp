// UTF-8, a character at a time.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace halfstep::internal {

// Length of the well-formed UTF-8 sequence at the start of `s`; 0 when there is none (Unicode table 3-7).
inline std::size_t utf8_length(std::string_view s) {
  auto byte = [&](std::size_t i) -> unsigned { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0; };
  auto tail = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;  // no surrogates
    return byte(1) >= low && byte(1) <= high && tail(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return byte(1) >= low && byte(1) <= high && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

// A character that drives a terminal instead of showing something: C0, DEL, and C1 in its two bytes.
inline bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  return first < 0x20 || first == 0x7F ||
         (first == 0xC2 && character.size() == 2 && static_cast<unsigned char>(character[1]) < 0xA0);
}

// Whether `text` is well-formed; on failure `*offset` is the first bad byte.
bool is_utf8(std::string_view text, std::size_t* offset = nullptr);

// Text that is not UTF-8 is taken as Latin-1.
std::string to_utf8(std::string_view text);

}  // namespace halfstep::internal
