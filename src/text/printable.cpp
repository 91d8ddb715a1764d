// Text that cannot drive a terminal.
#include <algorithm>

#include "halfstep/text.hpp"
#include "text/utf8.hpp"

namespace halfstep {

using namespace internal;
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string escaped(std::string_view character) {
  const auto last = static_cast<unsigned char>(character.back());
  if (last == '\n') return "\\n";
  if (last == '\r') return "\\r";
  if (last == '\t') return "\\t";
  // A C1 character is named by its number, a byte by its value.
  return (character.size() == 2 ? "\\u00" : "\\x") + std::string{kHex[last >> 4], kHex[last & 15]};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto plain = std::find_if_not(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
    out.append(text.begin(), plain);
    text.remove_prefix(static_cast<std::size_t>(plain - text.begin()));
    if (text.empty()) break;
    const std::size_t length = utf8_length(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0 || is_control(character)) {
      out += escaped(character);
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

}  // namespace halfstep
