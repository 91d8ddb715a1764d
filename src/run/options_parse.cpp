#include "run/options_parse.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "halfstep/error.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal::options {
namespace {

template <typename T>
bool convert(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && rest == end;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> items;
  while (true) {
    const std::size_t at = text.find(separator);
    items.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return items;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

void reject(std::string_view name, std::string_view value, std::string why) {
  throw Error(Status::invalid_argument, {.what = "bad value \"" + std::string(value) + "\"",
                                         .where = "--" + std::string(name),
                                         .why = std::move(why),
                                         .kept = {},
                                         .hint = {}});
}

std::int64_t parse_integer(std::string_view name, std::string_view text, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  if (!convert(text, value)) reject(name, text, "expected a whole number");
  if (value < least || value > most) {
    reject(name, text, "must be from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return value;
}

std::uint64_t parse_unsigned(std::string_view name, std::string_view text) {
  std::uint64_t value = 0;
  if (!convert(text, value)) reject(name, text, "expected a whole number from 0 to 18446744073709551615");
  return value;
}

double parse_number(std::string_view name, std::string_view text) {
  double value = 0;
  if (!convert(text, value)) reject(name, text, "expected a number");
  if (!(std::fabs(value) <= std::numeric_limits<float>::max())) reject(name, text, "must be finite in fp32");
  return value;
}

bool parse_flag(std::string_view name, std::string_view text) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  reject(name, text, "expected true or false");
}

std::vector<std::string> parse_list(std::string_view text) {
  if (text.empty()) return {};
  std::vector<std::string> items;
  for (const std::string_view item : split(text, ',')) items.emplace_back(item);
  return items;
}

std::string join(const std::vector<std::string>& items, char separator) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : std::string(1, separator)) + items[i];
  return text;
}

std::string list_text(const std::vector<std::string>& items) { return join(items, ','); }

std::string parse_choice(std::string_view name, std::string_view text, std::string_view choices) {
  const std::vector<std::string_view> names = split(choices, '|');
  if (std::find(names.begin(), names.end(), text) != names.end()) return std::string(text);
  const std::string_view near = nearest_name(text, names);
  reject(name, text,
         "expected " + std::string(choices) + (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
}

bool is_scale(double value) {
  int exponent = 0;
  return value > 0 && std::isfinite(value) && std::frexp(value, &exponent) == 0.5 && exponent > -100 && exponent <= 100;
}

}  // namespace halfstep::internal::options
