#include "data/missing.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>

#include "data/text.hpp"
#include "text/utf8.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kLongest = 9;
// In lower case.
constexpr std::array<std::string_view, 11> kTexts = {"?",    "na",   "n/a", "nan",      "-nan", "null",
                                                     "#n/a", "<na>", "\\n", "#n/a n/a", "<n/a>"};
constexpr std::array<std::string_view, 22> kNumbers = {
    "none", "nil",  "nat",    "n.a.",   "n.a",     "na.",     ".",     "-",      "--",    "---",     "..",
    "...",  "(na)", "(null)", "#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "missing", "unknown"};

// In lower case; false for what is longer than any token.
bool is_among(std::string_view cell, std::span<const std::string_view> tokens) {
  if (cell.size() > kLongest) return false;
  std::array<char, kLongest> lower{};
  std::transform(cell.begin(), cell.end(), lower.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return std::find(tokens.begin(), tokens.end(), std::string_view(lower.data(), cell.size())) != tokens.end();
}

}  // namespace

bool is_missing_text(std::string_view cell) { return cell.empty() || is_among(cell, kTexts); }

bool is_missing_number(std::string_view cell) { return is_missing_text(cell) || is_among(cell, kNumbers); }

MissingTokens::MissingTokens(std::span<const std::string> tokens) : tokens_(tokens.begin(), tokens.end()) {
  for (const std::string& token : tokens_) {
    double number = 0;
    const bool numeric = parse_number(token, number) == CellKind::number;
    numbers_.push_back(numeric ? number : std::numeric_limits<double>::quiet_NaN());
  }
}

bool MissingTokens::contains(std::string_view cell) const {
  if (tokens_.empty()) return false;
  if (std::find(tokens_.begin(), tokens_.end(), cell) != tokens_.end()) return true;
  if (!is_utf8(cell)) return contains(to_utf8(cell));  // tokens are UTF-8
  double number = 0;
  if (parse_number(cell, number) != CellKind::number) return false;
  return contains_number(number);
}

// Not by ==, which flushes subnormal numbers in some floating-point environments.
bool MissingTokens::contains_number(double number) const {
  const auto bits_of = [](double value) { return std::bit_cast<std::uint64_t>(value); };
  constexpr std::uint64_t kMinusZero = std::uint64_t{1} << 63;
  const auto key = [&](double value) { return bits_of(value) == kMinusZero ? 0 : bits_of(value); };
  const auto same = [&](double token) { return key(token) == key(number); };
  return std::any_of(numbers_.begin(), numbers_.end(), same);  // a token that is no number is NaN, no cell is
}

}  // namespace halfstep::internal::data
