#include "halfstep/error.hpp"

#include "halfstep/text.hpp"

namespace halfstep {
namespace {

std::string one_line(const ErrorParts& parts) {
  std::string text = parts.what;
  if (!parts.where.empty()) text += " (" + parts.where + ")";
  if (!parts.why.empty()) text += ": " + parts.why;
  if (!parts.kept.empty()) text += "; kept: " + parts.kept;
  if (!parts.hint.empty()) text += "; try: " + parts.hint;
  return printable(text);  // names and values from outside may hold anything
}

}  // namespace

Error::Error(Status status, ErrorParts parts)
    : std::runtime_error(one_line(parts)), status_(status), parts_(std::move(parts)) {}

std::string Error::code() const {
  const std::string digits = std::to_string(static_cast<int>(status_));
  return "HS-" + std::string(4 - digits.size(), '0') + digits;
}

}  // namespace halfstep
