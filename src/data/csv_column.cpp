#include "data/csv_column.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "data/text.hpp"

namespace halfstep::data {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kFewNumbers = 20;  // up to so many distinct numbers a mixed column may well be categories

// "1,5" or "12,000".
bool is_comma_number(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos || comma == 0 || comma + 1 == text.size()) return false;
  return text.find_first_not_of("0123456789+-.,") == std::string_view::npos;
}

bool more_distinct_than(std::vector<double> numbers, std::size_t few) {
  std::sort(numbers.begin(), numbers.end());  // no NaN left in here
  return static_cast<std::size_t>(std::unique(numbers.begin(), numbers.end()) - numbers.begin()) > few;
}

std::vector<double> present(const std::vector<double>& numbers) {
  std::vector<double> out;
  std::copy_if(numbers.begin(), numbers.end(), std::back_inserter(out), [](double x) { return x == x; });
  return out;
}

}  // namespace

bool is_missing_token(std::string_view cell, std::span<const std::string> tokens) {
  static constexpr std::array<std::string_view, 6> kUsual = {"?", "na", "n/a", "nan", "null", "none"};
  if (cell.empty()) return true;
  if (!tokens.empty()) return std::find(tokens.begin(), tokens.end(), cell) != tokens.end();
  if (cell.size() > 4) return false;
  std::array<char, 4> lower{};
  for (std::size_t i = 0; i < cell.size(); ++i) {
    lower[i] = static_cast<char>(cell[i] >= 'A' && cell[i] <= 'Z' ? cell[i] - 'A' + 'a' : cell[i]);
  }
  return std::find(kUsual.begin(), kUsual.end(), std::string_view(lower.data(), cell.size())) != kUsual.end();
}

std::uint32_t ColumnBuilder::intern(std::string_view text) {
  const auto known = index_.find(text);
  if (known != index_.end()) return known->second;
  const auto code = static_cast<std::uint32_t>(values_.size());
  index_.emplace(text, code);
  values_.push_back(to_utf8(text));
  return code;
}

void ColumnBuilder::add(std::string_view cell, std::uint32_t line, std::span<const std::string> missing_tokens) {
  double number = kNaN;
  std::uint32_t code = kMissingCode;
  // Numbers first: they are most cells. Tokens of the user's own may look like numbers (-999).
  const bool own_missing = !missing_tokens.empty() && is_missing_token(cell, missing_tokens);
  const CellKind kind = own_missing ? CellKind::text : parse_number(cell, number);
  if (kind == CellKind::number) {
    ++number_count_;
  } else if (!own_missing && !is_missing_token(cell, missing_tokens)) {
    number = kNaN;
    Spot& first = kind == CellKind::text ? first_text_ : first_not_finite_;
    if (first.line == 0) first = {line, std::string(cell.substr(0, 100))};
    if (codes_.empty()) codes_.assign(numbers_.size(), kMissingCode);
    code = intern(cell);
    if (kind == CellKind::text) {
      ++text_count_;
      only_comma_numbers_ = only_comma_numbers_ && is_comma_number(cell);
    }
  }
  numbers_.push_back(number);
  if (first_text_.line != 0 || first_not_finite_.line != 0) codes_.push_back(code);
}

// The cell, if any, that keeps a column from being numeric although it should be.
ColumnBuilder::Spot ColumnBuilder::problem_spot(std::string& why, std::string& hint) const {
  if (text_count_ == 0) {
    why = "is too large or not finite";
    hint = "correct it, or name it with --missing";
    return first_not_finite_;
  }
  if (only_comma_numbers_) {
    why = "has a comma: the decimal sign is a point, and digits are not grouped";
    hint = "write 1.5, not 1,5";
    return first_text_;
  }
  if (number_count_ > 19 * text_count_ && more_distinct_than(present(numbers_), kFewNumbers)) {
    why = "is text in a column of numbers";
    hint = "correct it, or name it with --missing, or name the column with --categorical or --drop";
    return first_text_;
  }
  return {};
}

// Earlier numbers become categories; their canonical text makes this independent of what came first.
void ColumnBuilder::turn_into_text() {
  for (std::size_t row = 0; row < numbers_.size(); ++row) {
    if (numbers_[row] == numbers_[row]) codes_[row] = intern(number_text(numbers_[row]));
  }
  numbers_ = {};
}

Column ColumnBuilder::finish(std::string name, const std::string& file, std::size_t index) {
  Column column;
  column.name = std::move(name);
  column.is_text = !codes_.empty();
  if (!column.is_text) {
    column.numbers = std::move(numbers_);
    return column;
  }
  std::string why;
  std::string hint;
  const Spot spot = problem_spot(why, hint);
  if (spot.line != 0) {
    const std::string where =
        file + ", line " + std::to_string(spot.line) + ", column " + std::to_string(index) + " " + excerpt(column.name);
    column.problem = ErrorParts{"bad number in the data", where, excerpt(spot.text) + " " + why, "", hint};
  }
  turn_into_text();
  column.codes = std::move(codes_);
  column.values = std::move(values_);
  return column;
}

}  // namespace halfstep::data
