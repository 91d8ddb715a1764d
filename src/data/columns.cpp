#include "data/columns.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "data/number_format.hpp"
#include "data/text.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal::data {
namespace {

// Of a column of numbers "1" and "1.0" are one category; texts are kept apart to the letter.
Categories categories_of_text(const Column& column) {
  Categories out;
  std::unordered_map<std::string, std::uint32_t> index;
  std::vector<std::uint32_t> code_of_value;
  for (const std::string& value : column.values) {
    const std::string name = column.is_text ? value : category_name(trim_blanks(value));
    const auto [place, fresh] = index.try_emplace(name, static_cast<std::uint32_t>(out.texts.size()));
    if (fresh) out.texts.push_back(place->first);
    code_of_value.push_back(place->second);
  }
  for (const std::uint32_t code : column.codes) {
    out.codes.push_back(code == kMissingCode ? kMissingCode : code_of_value[code]);
  }
  return out;
}

Categories categories_of_numbers(const Column& column) {
  Categories out;
  std::unordered_map<double, std::uint32_t> index;
  for (const double number : column.numbers) {
    if (number != number) {
      out.codes.push_back(kMissingCode);
      continue;
    }
    const auto [place, fresh] = index.try_emplace(number, static_cast<std::uint32_t>(out.texts.size()));
    if (fresh) out.texts.push_back(category_name(number));
    out.codes.push_back(place->second);
  }
  return out;
}

}  // namespace

Categories as_categories(const Column& column) {
  return column.codes.empty() ? categories_of_numbers(column) : categories_of_text(column);
}

void require_numbers(const Column& column, std::size_t index, const Table& table, const std::string& source) {
  if (!column.is_text) return;
  if (column.problem) throw Error(Status::format, *column.problem);
  for (std::size_t row = 0; row < column.codes.size(); ++row) {
    double number = 0;
    if (column.missing(row) || parse_number(column.values[column.codes[row]], number) == CellKind::number) continue;
    const std::string line = table.lines.empty() ? "" : ", line " + std::to_string(table.lines[row]);
    const std::string& text = column.values[column.codes[row]];
    const std::string item = list_item(text);
    fail(Status::format, "text where a number is needed",
         source + line + ", column " + std::to_string(index) + " " + excerpt(column.name), excerpt(text),
         item.empty() ? "correct it" : "correct it, or --missing " + item + " to have it taken as missing");
  }
}

std::vector<double> numbers_of(const Column& column) {
  if (!column.is_text) return column.numbers;
  std::vector<double> values;
  for (const std::string& text : column.values) {
    double number = std::numeric_limits<double>::quiet_NaN();
    parse_number(text, number);
    values.push_back(number);
  }
  std::vector<double> numbers;
  for (const std::uint32_t code : column.codes) {
    numbers.push_back(code == kMissingCode ? std::numeric_limits<double>::quiet_NaN() : values[code]);
  }
  return numbers;
}

std::size_t find_category(const std::vector<std::string>& names, std::string_view text) {
  const auto place = [&](std::string_view name) {
    const auto found = std::find(names.begin(), names.end(), name);
    return found == names.end() ? kUnknown : static_cast<std::size_t>(found - names.begin());
  };
  const std::size_t exact = place(text);
  return exact != kUnknown ? exact : place(category_name(trim_blanks(text)));
}

std::string list_missing(const Column& column) {
  std::string out;
  constexpr std::size_t kMost = 5;
  if (column.missing_tokens.size() == 1 && column.missing_tokens[0].token.empty()) return out;
  for (std::size_t i = 0; i < std::min(kMost, column.missing_tokens.size()); ++i) {
    const TokenCount& seen = column.missing_tokens[i];
    out += (i ? ", " : "") + (seen.token.empty() ? std::string("empty") : excerpt(seen.token)) + " (" +
           std::to_string(seen.count) + ")";
  }
  const std::size_t more = column.missing_tokens.size() - std::min(kMost, column.missing_tokens.size());
  return more > 0 ? out + " and " + std::to_string(more) + " more" : out;
}

std::vector<std::string> column_names(const Table& table) {
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  return names;
}

std::size_t resolve_column(const Table& table, const std::string& key, const std::string& parameter) {
  const std::vector<std::string> names = column_names(table);
  const std::size_t found = find_column(names, key);
  if (found < names.size()) return found;
  const std::string_view close = nearest_name(key, std::vector<std::string_view>(names.begin(), names.end()));
  fail(Status::invalid_argument, "no such column", "--" + parameter, excerpt(key),
       close.empty() ? "the columns are " + list_names(names, 20) : excerpt(close));
}

}  // namespace halfstep::internal::data
