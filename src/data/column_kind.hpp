// What a column holds, decided when all of it has been seen: numbers, or texts.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/number_format.hpp"
#include "data/table.hpp"

namespace halfstep::internal::data {

// A distinct cell that is not empty.
struct SeenText {
  std::string text;
  std::size_t count = 0;
  std::uint32_t line = 0;  // of the first
};

struct ColumnEvidence {
  std::vector<SeenText> texts;  // in order of appearance; plain numbers are among them only where `kept`
  bool kept = false;
  std::size_t rows = 0;
  // Of plain numbers that are not among `texts`:
  std::size_t numbers = 0;
  bool many_numbers = false;  // more than kFewNumbers distinct ones
  bool has_point = false;
  bool has_identifier = false;
};

enum class Reading {
  automatic,
  numbers,       // what is none is missing
  numbers_only,  // what is none is an error: training knew only numbers
  categories
};

struct ColumnRules {
  Reading reading = Reading::automatic;
  bool target = false;                       // then no text is taken as missing that need not be
  DecimalSign decimal = DecimalSign::point;  // where a column does not decide
  bool own_missing = false;                  // the user said which texts are missing: among texts no other is
  bool decimal_is_known = false;             // from other columns, the model or the user
};

struct ColumnKind {
  bool numeric = false;
  bool needs_texts = false;          // to be read again with its texts kept; nothing else counts then
  std::vector<double> values;        // of each text: NaN where it is missing or no number
  std::vector<bool> missing;         // of each text
  std::size_t problem = 0;           // 1 + index of the text that keeps a column of numbers from being one; 0: none
  std::string why, hint;             // of that
  std::string unit;                  // left out of the numbers
  bool comma = false;                // decimal commas
  std::vector<std::string> remarks;  // about what was decided, to be put behind the column's name
};

// `name` as a user would put it behind a flag.
ColumnKind decide_kind(const ColumnEvidence& evidence, const ColumnRules& rules, const std::string& name);

constexpr std::size_t kFewNumbers = 20;  // up to so many distinct numbers a mixed column may well be categories

// Digits that may be a name, which a number would lose: "007", "5E2", or more of them than a double keeps.
bool is_identifier(std::string_view plain_number);

}  // namespace halfstep::internal::data
