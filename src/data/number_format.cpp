#include "data/number_format.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

using Text = std::string_view;

constexpr std::size_t kMaxUnit = 12;
// No-break, narrow and thin space, and the apostrophes of Switzerland.
constexpr std::array<Text, 5> kGroupSigns = {"\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89", "\xe2\x80\x99", "'"};
constexpr std::array<Text, 12> kCurrencies = {
    "$",   "\xe2\x82\xac", "\xc2\xa3", "\xc2\xa5", "\xe2\x82\xb9", "\xe2\x82\xbd",
    "USD", "EUR",          "GBP",      "JPY",      "CHF",          "INR"};
constexpr std::array<Text, 2> kMinusSigns = {"-", "\xe2\x88\x92"};

template <std::size_t N>
Text starts_with_any(Text text, const std::array<Text, N>& list) {
  for (const Text item : list) {
    if (text.starts_with(item)) return item;
  }
  return {};
}

bool take_front(Text& text, Text part) {
  if (part.empty() || !text.starts_with(part)) return false;
  text = trim_blanks(text.substr(part.size()));
  return true;
}

// Takes one sign from the front. False when there is none.
bool take_sign(Text& text, bool& negative) {
  if (take_front(text, "+")) return true;
  if (!take_front(text, starts_with_any(text, kMinusSigns))) return false;
  negative = !negative;
  return true;
}

// Length of the grouping sign at the front, 0 for none.
std::size_t group_sign(Text text, DecimalSign decimal) {
  if (text.empty()) return 0;
  if (text[0] == ' ' || text[0] == (decimal == DecimalSign::point ? ',' : '.')) return 1;
  return starts_with_any(text, kGroupSigns).size();
}

// The digits before the decimal sign, without what groups them; false when they are not grouped as digits are.
bool take_whole(Text& text, DecimalSign decimal, std::string& out) {
  std::vector<std::size_t> groups;
  Text sign;
  while (!text.empty() && is_digit(text[0])) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    out += text.substr(0, digits);
    groups.push_back(digits);
    text.remove_prefix(digits);
    const std::size_t length = group_sign(text, decimal);
    const bool more = length > 0 && text.size() > length && is_digit(text[length]);
    if (!more) break;
    if (groups.size() > 1 && text.substr(0, length) != sign) return false;  // one sign throughout
    sign = text.substr(0, length);
    text.remove_prefix(length);
  }
  if (groups.size() < 2) return true;
  if (groups.front() > 3 || groups.back() != 3 || out[0] == '0') return false;
  return std::all_of(groups.begin() + 1, groups.end(), [&](std::size_t g) { return g == 3 || g == groups[1]; }) &&
         groups[1] >= 2 && groups[1] <= 3;
}

void take_exponent(Text& text, std::string& out) {
  if (text.empty() || (text[0] != 'e' && text[0] != 'E')) return;
  std::size_t end = 1;
  if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
  const std::size_t digits = end;
  while (end < text.size() && is_digit(text[end])) ++end;
  if (end == digits) return;
  out += text.substr(0, end);
  text.remove_prefix(end);
}

// Digits, a decimal sign, digits, an exponent.
bool take_digits(Text& text, DecimalSign decimal, double& value) {
  std::string plain;
  if (!take_whole(text, decimal, plain)) return false;
  const char sign = decimal == DecimalSign::point ? '.' : ',';
  if (text.size() > 1 && text[0] == sign && is_digit(text[1])) {
    plain += plain.empty() ? "0." : ".";
    for (text.remove_prefix(1); !text.empty() && is_digit(text[0]); text.remove_prefix(1)) plain += text[0];
  }
  if (plain.empty()) return false;
  take_exponent(text, plain);
  return parse_number(plain, value) == CellKind::number;
}

bool is_unit(Text text) {
  if (text.size() > kMaxUnit || has_digit(text)) return false;
  return text.find_first_of(",.;:\"'()[]{}<>=!?#*+-\\_") == Text::npos;
}

}  // namespace

std::string_view trim_blanks(std::string_view text) {
  const auto plain = [](char c) { return c > ' ' && c < '\x7f'; };
  if (text.empty() || (plain(text.front()) && plain(text.back()))) return text;  // nearly all cells
  const auto blank = [](Text t) -> std::size_t {
    if (t[0] == ' ' || t[0] == '\t' || t[0] == '\n' || t[0] == '\r') return 1;
    return t.starts_with("\xc2\xa0") ? 2 : t.starts_with("\xe2\x80\xaf") || t.starts_with("\xe2\x80\x89") ? 3 : 0;
  };
  while (!text.empty() && blank(text) > 0) text.remove_prefix(blank(text));
  for (bool again = true; again && !text.empty();) {
    again = false;
    for (const std::size_t length : {1u, 2u, 3u}) {
      if (text.size() < length || blank(text.substr(text.size() - length)) != length) continue;
      text.remove_suffix(length);
      again = true;
      break;
    }
  }
  return text;
}

bool is_quantity_sign(std::string_view unit) {
  return unit == "%" || std::find(kCurrencies.begin(), kCurrencies.end(), unit) != kCurrencies.end();
}

std::optional<WrittenNumber> read_written_number(std::string_view text, DecimalSign decimal) {
  text = trim_blanks(text);
  bool negative = false;
  if (text.size() > 2 && text.front() == '(' && text.back() == ')') {
    negative = true;
    text = trim_blanks(text.substr(1, text.size() - 2));
  }
  WrittenNumber number;
  const bool signed_first = take_sign(text, negative);
  const Text currency = starts_with_any(text, kCurrencies);
  if (take_front(text, currency)) number.unit = currency;
  if (!signed_first) take_sign(text, negative);
  if (!take_digits(text, decimal, number.value)) return {};
  text = trim_blanks(text);
  if (text == "-" && !negative) {
    negative = true;
    text = {};
  }
  if (!text.empty()) {
    if (!number.unit.empty() || !is_unit(text)) return {};
    number.unit = text;
  }
  if (negative) number.value = -number.value;
  return number;
}

FormatChoice choose_format(std::span<const std::string> texts, DecimalSign otherwise) {
  std::map<Text, std::size_t> units;
  std::array<std::size_t, 2> fit = {};  // by decimal sign
  FormatChoice choice;
  for (const std::string& text : texts) {
    const auto by_point = read_written_number(text, DecimalSign::point);
    const auto by_comma = read_written_number(text, DecimalSign::comma);
    fit[0] += by_point ? 1 : 0;
    fit[1] += by_comma ? 1 : 0;
    if (!by_point && !by_comma) continue;
    const Text unit = by_point ? by_point->unit : by_comma->unit;
    if (!unit.empty()) ++units[unit];
    if (!by_point || !by_comma || by_point->value != by_comma->value) choice.grouped_or_comma = true;
  }
  const bool differ = fit[0] != fit[1];
  choice.decided = differ || !choice.grouped_or_comma;
  choice.format.decimal = differ                    ? (fit[0] > fit[1] ? DecimalSign::point : DecimalSign::comma)
                          : choice.grouped_or_comma ? otherwise
                                                    : DecimalSign::point;
  const auto most =
      std::max_element(units.begin(), units.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != units.end()) choice.format.unit = most->first;
  return choice;
}

}  // namespace halfstep::internal::data
