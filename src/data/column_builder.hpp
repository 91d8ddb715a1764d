// Builds one column of a table from its cells, in one pass; a second one where texts turn out to matter.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/column_kind.hpp"
#include "data/few_numbers.hpp"
#include "data/missing.hpp"
#include "data/plain_number.hpp"
#include "data/table.hpp"

namespace halfstep::internal::data {

// Whether the cells of plain numbers are kept as they stand too.
enum class KeepTexts {
  no,
  few,  // until there are so many that nobody will take them as classes: then as if they had never been kept
  all   // for categories, classes and identifiers
};

class ColumnStore;

class ColumnBuilder {
 public:
  // `own`: the tokens that mean "missing" whatever else they look like; they must outlive it.
  ColumnBuilder(KeepTexts keep, const MissingTokens& own) : keep_(keep), own_(&own) {
    evidence_.kept = keep != KeepTexts::no;
  }

  void add(std::string_view cell, std::uint32_t line);
  // Whether a cell that is this plain number may come so, without its text.
  bool takes(const PlainNumber& number) const {
    return !evidence_.kept && (own_->empty() || !own_->contains_number(number.value));
  }
  void add(const PlainNumber& number) {
    ++evidence_.rows;
    add_number(number.value, number.has_point, number.identifier);
    numbers_.push_back(number.value);
    if (!evidence_.texts.empty()) codes_.push_back(kMissingCode);
  }
  // The cells of later rows, whose builder is spent afterwards; `lines` is what lies before what it counts from.
  void append(ColumnBuilder& later, std::uint32_t lines);
  // For the rows of the next piece.
  ColumnBuilder fresh() const { return {evidence_.kept ? keep_ : KeepTexts::no, *own_}; }
  void reserve(std::size_t rows);
  // Puts what it has of rows there, and keeps the rest; but not of KeepTexts::few, whose texts it may still forget.
  void drain(ColumnStore& store, std::size_t column);

  std::size_t rows() const { return evidence_.rows; }
  std::size_t empty_cells() const { return empty_; }

  // Whether its texts say that commas are decimal signs, or the opposite; neither where they leave it open.
  bool decides_for(DecimalSign decimal) const;
  const ColumnEvidence& evidence() const { return evidence_; }

  // The builder is spent afterwards. `file` and `index` are for messages.
  Column finish(std::string name, const ColumnKind& kind, const std::string& file, std::size_t index);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::uint32_t intern(std::string_view text, std::size_t count, std::uint32_t line);
  void add_number(double number, bool has_point, bool identifier) {
    ++evidence_.numbers;
    few_numbers_.add(number);
    evidence_.many_numbers = few_numbers_.many();
    // Where there is a point, nothing in the column names something.
    if (!evidence_.has_point) evidence_.has_identifier = evidence_.has_identifier || identifier;
    evidence_.has_point = evidence_.has_point || has_point;
  }
  std::size_t rows_here() const { return evidence_.rows - drained_; }
  void forget_texts_if_many();
  void forget_texts();

  KeepTexts keep_;
  const MissingTokens* own_;
  ColumnEvidence evidence_;
  std::vector<double> numbers_;       // unless texts are kept
  std::vector<std::uint32_t> codes_;  // of texts; filled from the first one on
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index_;
  FewNumbers few_numbers_;  // with KeepTexts::few of those that are kept, too
  std::size_t empty_ = 0;
  std::size_t drained_ = 0;                                   // rows
  std::unordered_map<std::string, std::size_t> own_missing_;  // tokens of the user's that occurred
};

}  // namespace halfstep::internal::data
