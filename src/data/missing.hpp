// Texts that stand for "no value".
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace halfstep::internal::data {

// Among texts: "?", "NA", "N/A", "NaN", "null" and what programs write for them. "None" is a value there, as in a
// column of severities.
bool is_missing_text(std::string_view cell);

// Among numbers, where many more can be nothing else: also "None", "-", ".", the errors of spreadsheets.
bool is_missing_number(std::string_view cell);

// The tokens that a user names; they may look like numbers, and then mean all that are equal.
class MissingTokens {
 public:
  MissingTokens() = default;
  explicit MissingTokens(std::span<const std::string> tokens);
  bool empty() const { return tokens_.empty(); }
  const std::vector<std::string>& tokens() const { return tokens_; }
  bool contains(std::string_view cell) const;
  // Whether cells that are this number are among them.
  bool contains_number(double number) const;

 private:
  std::vector<std::string> tokens_;
  std::vector<double> numbers_;  // NaN where a token is none
};

}  // namespace halfstep::internal::data
