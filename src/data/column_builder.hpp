// Builds one column of a table from its cells, in one pass; a second one where texts turn out to matter.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "data/column_kind.hpp"
#include "data/missing.hpp"
#include "data/table.hpp"

namespace halfstep::internal::data {

class ColumnBuilder {
 public:
  // With `keep_texts` each cell is kept as it stands, numbers too: for categories, classes and identifiers.
  explicit ColumnBuilder(bool keep_texts) { evidence_.kept = keep_texts; }

  // `own`: the tokens that mean "missing" whatever else they look like.
  void add(std::string_view cell, std::uint32_t line, const MissingTokens& own);
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

  std::uint32_t intern(std::string_view text, std::uint32_t line);
  void add_number(std::string_view cell, double number);

  ColumnEvidence evidence_;
  std::vector<double> numbers_;       // unless texts are kept
  std::vector<std::uint32_t> codes_;  // of texts; filled from the first one on
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index_;
  std::unordered_set<double> few_numbers_;
  std::size_t empty_ = 0;
  std::unordered_map<std::string, std::size_t> own_missing_;  // tokens of the user's that occurred
};

}  // namespace halfstep::internal::data
