#include "halfstep/error.hpp"

namespace halfstep {
namespace {

// Names and values from outside may hold anything: the message stays one line, and cannot drive a terminal.
std::string without_controls(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0u;
    const bool high = byte == 0xC2 && next >= 0x80 && next < 0xA0;  // U+0080 to U+009F, two bytes each
    out += high || byte < 0x20 || byte == 0x7F ? ' ' : text[i];
    i += high ? 1 : 0;
  }
  return out;
}

std::string one_line(const ErrorParts& parts) {
  std::string text = parts.what;
  if (!parts.where.empty()) text += " (" + parts.where + ")";
  if (!parts.why.empty()) text += ": " + parts.why;
  if (!parts.kept.empty()) text += "; kept: " + parts.kept;
  if (!parts.hint.empty()) text += "; try: " + parts.hint;
  return without_controls(text);
}

}  // namespace

Error::Error(Status status, ErrorParts parts)
    : std::runtime_error(one_line(parts)), status_(status), parts_(std::move(parts)) {}

std::string Error::code() const {
  const std::string digits = std::to_string(static_cast<int>(status_));
  return "HS-" + std::string(4 - digits.size(), '0') + digits;
}

}  // namespace halfstep
