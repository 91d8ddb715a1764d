#include "data/column_builder.hpp"

#include <algorithm>

#include "data/text.hpp"
#include "text/utf8.hpp"

namespace halfstep::internal::data {
namespace {

// Cheap enough for every cell: what is_identifier then looks at closely.
bool may_be_identifier(std::string_view cell) {
  return cell.size() > 1 &&
         (cell[0] == '0' || cell[0] == '-' || cell.size() > 15 || cell.find_first_of("eE") != std::string_view::npos);
}

}  // namespace

std::uint32_t ColumnBuilder::intern(std::string_view text, std::uint32_t line) {
  const auto known = index_.find(text);
  if (known != index_.end()) {
    ++evidence_.texts[known->second].count;
    return known->second;
  }
  const auto code = static_cast<std::uint32_t>(evidence_.texts.size());
  index_.emplace(text, code);
  evidence_.texts.push_back({std::string(text), 1, line});
  return code;
}

void ColumnBuilder::add_number(std::string_view cell, double number) {
  ++evidence_.numbers;
  if (few_numbers_.size() <= kFewNumbers) {
    few_numbers_.insert(number);
    evidence_.many_numbers = few_numbers_.size() > kFewNumbers;
  }
  if (evidence_.has_point) return;  // then nothing in the column names something
  evidence_.has_point = cell.find('.') != std::string_view::npos;
  evidence_.has_identifier = evidence_.has_identifier || (may_be_identifier(cell) && is_identifier(cell));
}

void ColumnBuilder::add(std::string_view cell, std::uint32_t line, const MissingTokens& own) {
  const std::string_view bare = trim_blanks(cell);  // blanks inside quotes are part of a text, not of a number
  double number = kNaN;
  std::uint32_t code = kMissingCode;
  ++evidence_.rows;
  if (bare.empty()) {
    ++empty_;
  } else if (own.contains(bare)) {
    ++own_missing_[std::string(bare)];
  } else if (evidence_.kept) {
    code = intern(cell, line);
  } else if (parse_number(bare, number) == CellKind::number) {
    add_number(bare, number);
  } else {
    number = kNaN;
    if (evidence_.texts.empty()) codes_.assign(numbers_.size(), kMissingCode);
    code = intern(cell, line);
  }
  if (!evidence_.kept) numbers_.push_back(number);
  if (evidence_.kept || !evidence_.texts.empty()) codes_.push_back(code);
}

bool ColumnBuilder::decides_for(DecimalSign decimal) const {
  std::vector<std::string> texts;
  for (const SeenText& seen : evidence_.texts) {
    double number = 0;
    const std::string_view bare = trim_blanks(seen.text);
    if (!is_missing_number(bare) && parse_number(bare, number) == CellKind::text) texts.emplace_back(bare);
  }
  const FormatChoice choice = choose_format(texts, DecimalSign::point);
  return choice.decided && choice.grouped_or_comma && choice.format.decimal == decimal;
}

Column ColumnBuilder::finish(std::string name, const ColumnKind& kind, const std::string& file, std::size_t index) {
  const std::vector<SeenText>& texts = evidence_.texts;
  Column column;
  column.name = std::move(name);
  column.is_text = !kind.numeric;
  column.unit = to_utf8(kind.unit);
  if (empty_ > 0) column.missing_tokens.push_back({"", empty_});
  for (const auto& [token, count] : own_missing_) column.missing_tokens.push_back({to_utf8(token), count});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (kind.missing[i]) column.missing_tokens.push_back({to_utf8(texts[i].text), texts[i].count});
  }
  std::sort(column.missing_tokens.begin(), column.missing_tokens.end(), [](const TokenCount& a, const TokenCount& b) {
    return a.count != b.count ? a.count > b.count : a.token < b.token;
  });
  for (const std::string& remark : kind.remarks) column.remarks.push_back(excerpt(column.name) + ": " + remark);
  if (kind.problem > 0) {
    const SeenText& spot = texts[kind.problem - 1];
    const std::string where =
        file + ", line " + std::to_string(spot.line) + ", column " + std::to_string(index) + " " + excerpt(column.name);
    column.problem = ErrorParts{"bad number in the data", where, excerpt(spot.text) + " " + kind.why, "", kind.hint};
  }
  if (kind.numeric) {
    column.numbers = std::move(numbers_);
    if (evidence_.kept) column.numbers.assign(evidence_.rows, kNaN);
    for (std::size_t row = 0; row < codes_.size(); ++row) {
      if (codes_[row] != kMissingCode) column.numbers[row] = kind.values[codes_[row]];
    }
    if (!evidence_.kept) return column;
  }
  column.codes = std::move(codes_);
  column.codes.resize(evidence_.rows, kMissingCode);
  for (std::uint32_t& code : column.codes) {
    if (code != kMissingCode && kind.missing[code]) code = kMissingCode;
  }
  for (const SeenText& seen : texts) column.values.push_back(to_utf8(seen.text));
  return column;
}

}  // namespace halfstep::internal::data
