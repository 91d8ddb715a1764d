// Builds one column of a table from cells, deciding in one pass whether it holds numbers or text.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/table.hpp"

namespace halfstep::data {

// Whether a cell stands for "no value". An empty cell always does.
bool is_missing_token(std::string_view cell, std::span<const std::string> tokens);

class ColumnBuilder {
 public:
  void add(std::string_view cell, std::uint32_t line, std::span<const std::string> missing_tokens);
  std::size_t rows() const { return numbers_.size(); }
  // `where` names file and column; the builder is spent afterwards.
  Column finish(std::string name, const std::string& file, std::size_t index);

 private:
  struct Spot {
    std::uint32_t line = 0;  // 0: none seen
    std::string text;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::uint32_t intern(std::string_view text);
  Spot problem_spot(std::string& why, std::string& hint) const;
  void turn_into_text();

  std::vector<double> numbers_;
  std::vector<std::uint32_t> codes_;  // filled from the first text on
  std::vector<std::string> values_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index_;
  std::size_t number_count_ = 0;
  std::size_t text_count_ = 0;
  bool only_comma_numbers_ = true;  // among the texts
  Spot first_text_;
  Spot first_not_finite_;
};

}  // namespace halfstep::data
