#include "data/text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include "halfstep/text.hpp"
#include "text/utf8.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kMaxExcerpt = 64;

bool names_non_finite(std::string_view unsigned_text) {
  if (unsigned_text.size() > 8) return false;
  const std::string text = lowercase(unsigned_text);
  return text == "inf" || text == "infinity" || text == "nan";
}

// from_chars reports underflow and overflow alike; the decimal exponent of the first non-zero digit tells them apart.
bool underflows(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  const std::string_view mantissa = text.substr(0, e);
  long exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (result.ec == std::errc::result_out_of_range) return negative;
    if (negative) exponent = -exponent;
  }
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return true;
  const long place = first < point ? static_cast<long>(point - first) : -static_cast<long>(first - point);
  return exponent < -place;
}

}  // namespace

bool has_digit(std::string_view text) { return std::any_of(text.begin(), text.end(), is_digit); }

CellKind parse_number(std::string_view text, double& number) {
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative || text.starts_with('+')) digits.remove_prefix(1);
  if (digits.empty()) return CellKind::text;
  const bool numeric_start = is_digit(digits[0]) || (digits[0] == '.' && digits.size() > 1 && is_digit(digits[1]));
  if (!numeric_start) return names_non_finite(digits) ? CellKind::not_finite : CellKind::text;
  const char* end = digits.data() + digits.size();
  double magnitude = 0;
  const auto result = std::from_chars(digits.data(), end, magnitude);
  if (result.ptr != end) return CellKind::text;
  if (result.ec == std::errc::result_out_of_range) {
    if (!underflows(digits)) return CellKind::not_finite;
    magnitude = 0;
  }
  number = negative ? -magnitude : magnitude;
  return CellKind::number;
}

std::string category_name(double number) { return number_text(number == 0 ? 0.0 : number); }

std::string category_name(std::string_view text) {
  double number = 0;
  if (parse_number(text, number) != CellKind::number || text.find_first_of("eE") != std::string_view::npos) {
    return std::string(text);
  }
  if (text.starts_with('+')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const bool whole =
      point != std::string_view::npos && point > 0 && text.find_first_not_of('0', point + 1) == text.npos;
  if (whole) text = text.substr(0, point);
  return text == "-0" ? "0" : std::string(text);
}

void sort_categories(std::vector<std::string>& names) {
  std::vector<std::pair<double, std::string>> keyed;
  keyed.reserve(names.size());
  for (std::string& name : names) {
    double number = 0;
    const bool numeric = parse_number(name, number) == CellKind::number;
    keyed.emplace_back(numeric ? number : std::numeric_limits<double>::infinity(), std::move(name));
  }
  std::sort(keyed.begin(), keyed.end());
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = std::move(keyed[i].second);
}

std::string excerpt(std::string_view text) {
  std::size_t used = 0;
  while (used < text.size()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(text.substr(used)), 1);
    if (used + length > kMaxExcerpt) break;
    used += length;
  }
  return "'" + printable(text.substr(0, used)) + (used < text.size() ? "...'" : "'");
}

std::string list_names(std::span<const std::string> names, std::size_t most) {
  std::string out;
  const std::size_t shown = std::min(names.size(), most);
  for (std::size_t i = 0; i < shown; ++i) out += (i ? ", " : "") + excerpt(names[i]);
  if (shown < names.size()) out += " and " + std::to_string(names.size() - shown) + " more";
  return out;
}

std::size_t find_column(std::span<const std::string> names, std::string_view key) {
  const auto named = std::find(names.begin(), names.end(), key);
  if (named != names.end()) return static_cast<std::size_t>(named - names.begin());
  std::size_t index = 0;
  const auto result = std::from_chars(key.data(), key.data() + key.size(), index);
  const bool whole = result.ec == std::errc{} && result.ptr == key.data() + key.size();
  return whole && index < names.size() ? index : names.size();
}

std::string list_item(const std::string& text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
  const bool usable = std::none_of(text.begin(), text.end(),
                                   [](unsigned char c) { return c < ' ' || c == 0x7f || c == ',' || c == '\''; });
  if (text.empty() || !usable || text[0] == '-') return {};
  return text.find_first_not_of(kPlain) == std::string::npos ? text : "'" + text + "'";
}

std::string column_key(const std::string& name, std::size_t index) {
  const std::string item = list_item(name);
  return item.empty() ? std::to_string(index) : item;
}

std::string lowercase(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void fail(Status status, std::string what, std::string where, std::string why, std::string hint) {
  throw Error(status, {std::move(what), std::move(where), std::move(why), "", std::move(hint)});
}

}  // namespace halfstep::internal::data
