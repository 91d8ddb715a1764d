#include "data/column_builder.hpp"

#include <algorithm>
#include <utility>

#include "data/column_store.hpp"
#include "data/text.hpp"
#include "text/utf8.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kFewTexts = 100;  // kept of a column of numbers that may be classes

// Cheap enough for every cell: what is_identifier then looks at closely.
bool may_be_identifier(std::string_view cell) {
  return cell.size() > 1 &&
         (cell[0] == '0' || cell[0] == '-' || cell.size() > 15 || cell.find_first_of("eE") != std::string_view::npos);
}

bool names_something(std::string_view cell) { return may_be_identifier(cell) && is_identifier(cell); }

bool has_point(std::string_view cell) { return cell.find('.') != std::string_view::npos; }

template <class T>
void append_all(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

std::uint32_t ColumnBuilder::intern(std::string_view text, std::size_t count, std::uint32_t line) {
  const auto known = index_.find(text);
  if (known != index_.end()) {
    evidence_.texts[known->second].count += count;
    return known->second;
  }
  const auto code = static_cast<std::uint32_t>(evidence_.texts.size());
  index_.emplace(text, code);
  evidence_.texts.push_back({std::string(text), count, line});
  double number = 0;
  const bool counted = evidence_.kept && keep_ == KeepTexts::few && !few_numbers_.many();
  if (counted && parse_number(trim_blanks(text), number) == CellKind::number) few_numbers_.add(number);
  return code;
}

void ColumnBuilder::add(std::string_view cell, std::uint32_t line) {
  const std::string_view bare = trim_blanks(cell);  // blanks inside quotes are part of a text, not of a number
  double number = kNaN;
  std::uint32_t code = kMissingCode;
  ++evidence_.rows;
  if (bare.empty()) {
    ++empty_;
  } else if (own_->contains(bare)) {
    ++own_missing_[std::string(bare)];
  } else if (evidence_.kept) {
    code = intern(cell, 1, line);
  } else if (parse_number(bare, number) == CellKind::number) {
    add_number(number, has_point(bare), !evidence_.has_point && names_something(bare));
  } else {
    number = kNaN;
    if (evidence_.texts.empty()) codes_.assign(numbers_.size(), kMissingCode);
    code = intern(cell, 1, line);
  }
  if (!evidence_.kept) numbers_.push_back(number);
  if (evidence_.kept || !evidence_.texts.empty()) codes_.push_back(code);
  forget_texts_if_many();
}

// Depends on nothing but which texts there are, so that it comes to the same however the rows were cut into pieces.
void ColumnBuilder::forget_texts_if_many() {
  if (evidence_.kept && keep_ == KeepTexts::few && evidence_.texts.size() > kFewTexts && few_numbers_.many()) {
    forget_texts();
  }
}

void ColumnBuilder::forget_texts() {
  std::vector<SeenText> kept = std::exchange(evidence_.texts, {});
  const std::vector<std::uint32_t> kept_codes = std::exchange(codes_, {});
  index_.clear();
  few_numbers_ = {};
  evidence_.kept = false;
  std::vector<double> values(kept.size(), kNaN);
  std::vector<std::uint32_t> codes(kept.size(), kMissingCode);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::string_view bare = trim_blanks(kept[i].text);
    if (parse_number(bare, values[i]) == CellKind::number) {
      add_number(values[i], has_point(bare), names_something(bare));
      evidence_.numbers += kept[i].count - 1;
    } else {
      values[i] = kNaN;
      codes[i] = intern(kept[i].text, kept[i].count, kept[i].line);
    }
  }
  for (const std::uint32_t code : kept_codes) {
    numbers_.push_back(code == kMissingCode ? kNaN : values[code]);
    if (!evidence_.texts.empty()) codes_.push_back(code == kMissingCode ? kMissingCode : codes[code]);
  }
}

void ColumnBuilder::append(ColumnBuilder& later, std::uint32_t lines) {
  if (evidence_.kept != later.evidence_.kept) (evidence_.kept ? *this : later).forget_texts();
  const ColumnEvidence& more = later.evidence_;
  if (!evidence_.kept && evidence_.texts.empty() && !more.texts.empty()) codes_.assign(numbers_.size(), kMissingCode);
  std::vector<std::uint32_t> code_of;
  code_of.reserve(more.texts.size());
  for (const SeenText& seen : more.texts) code_of.push_back(intern(seen.text, seen.count, seen.line + lines));
  evidence_.rows += more.rows;
  evidence_.numbers += more.numbers;
  few_numbers_.add(later.few_numbers_);
  evidence_.many_numbers = !evidence_.kept && few_numbers_.many();
  if (!evidence_.has_point) evidence_.has_identifier = evidence_.has_identifier || more.has_identifier;
  evidence_.has_point = evidence_.has_point || more.has_point;
  empty_ += later.empty_;
  for (const auto& [token, count] : later.own_missing_) own_missing_[token] += count;
  append_all(numbers_, later.numbers_);
  for (std::uint32_t& code : later.codes_) code = code == kMissingCode ? kMissingCode : code_of[code];
  append_all(codes_, later.codes_);
  if (evidence_.kept || !evidence_.texts.empty()) codes_.resize(rows_here(), kMissingCode);
  forget_texts_if_many();
}

void ColumnBuilder::reserve(std::size_t rows) {
  if (!evidence_.kept) {
    numbers_.reserve(rows);
    prefer_huge_pages(numbers_.data() + numbers_.size(), (numbers_.capacity() - numbers_.size()) * sizeof(double));
  }
  if (evidence_.kept || !evidence_.texts.empty()) codes_.reserve(rows);
}

void ColumnBuilder::drain(ColumnStore& store, std::size_t column) {
  if (evidence_.kept && keep_ == KeepTexts::few) return;
  if (evidence_.numbers == 0 && !codes_.empty()) numbers_.clear();  // none of them is a number
  store.append(column, numbers_, codes_);
  numbers_.clear();
  codes_.clear();
  drained_ = evidence_.rows;
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
    if (evidence_.kept) column.numbers.assign(rows_here(), kNaN);
    for (std::size_t row = 0; row < codes_.size(); ++row) {
      if (codes_[row] != kMissingCode) column.numbers[row] = kind.values[codes_[row]];
    }
    if (!evidence_.kept) return column;
  }
  column.codes = std::move(codes_);
  column.codes.resize(rows_here(), kMissingCode);
  for (std::uint32_t& code : column.codes) {
    if (code != kMissingCode && kind.missing[code]) code = kMissingCode;
  }
  for (const SeenText& seen : texts) column.values.push_back(to_utf8(seen.text));
  return column;
}

}  // namespace halfstep::internal::data
