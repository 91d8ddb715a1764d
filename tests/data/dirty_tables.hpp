// Tables as they come, made by chance, and all that reading says of one.
#pragma once
#include <random>
#include <string>
#include <vector>

#include "data/table.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal::data::testing {

// Everything that a table says.
inline std::string told(const Table& table) {
  std::string out = std::to_string(table.rows) + (table.has_header ? " named" : "") + table.separator +
                    (table.decimal_comma ? " comma" : "");
  const auto add = [&](const std::string& text) { out += "|" + text; };
  for (const std::uint32_t line : table.lines) add(std::to_string(line));
  for (const std::string& remark : table.remarks) add(remark);
  for (const std::string& token : table.unused_missing) add(token);
  for (const Column& c : table.columns) {
    out += "\n" + c.name + (c.is_text ? " texts " : " numbers ") + c.unit;
    for (const double number : c.numbers) add(number_text(number));
    for (const std::uint32_t code : c.codes) add(std::to_string(code));
    for (const std::string& value : c.values) add(value);
    for (const TokenCount& token : c.missing_tokens) add(token.token + " x " + std::to_string(token.count));
    for (const std::string& remark : c.remarks) add(remark);
    if (c.problem) add(c.problem->what + c.problem->where + c.problem->why + c.problem->hint);
  }
  return out;
}

// Tables that are mostly well-formed, of columns that are mostly of one kind.
class Dirty {
 public:
  explicit Dirty(std::uint32_t seed) : random_(seed) {}

  std::string text() {
    end_ = pick({"\n", "\n", "\r\n", "\r"});
    separator_ = pick({",", ",", ";", "\t"});
    quotes_ = one_in(2), comments_ = one_in(3), ragged_ = one_in(6), blank_lines_ = one_in(3);
    const std::size_t columns = 1 + below(6), rows = below(one_in(4) ? 1500 : 120);
    for (std::size_t i = 0; i < columns; ++i) kinds_.push_back(below(8));
    std::string out;
    if (one_in(2)) out += record(columns, [&](std::size_t i) { return "name" + std::to_string(i); });
    for (std::size_t row = 0; row < rows; ++row) {
      if (comments_ && one_in(9)) out += "# remark, with \"quote" + end_;
      if (blank_lines_ && one_in(9)) out += (one_in(2) ? "   " : "") + end_;
      std::size_t width = columns;
      if (ragged_ && one_in(200)) width += one_in(2) ? 1 : 2;
      if (ragged_ && one_in(200)) width = 1 + below(columns);
      out += record(width, [&](std::size_t i) { return cell(i < columns ? kinds_[i] : 7); });
    }
    if (one_in(3) && !out.empty()) out.resize(out.size() - below(std::min<std::size_t>(out.size(), 4)));
    return out;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::string pick(std::initializer_list<const char*> of) { return of.begin()[below(of.size())]; }

  template <class F>
  std::string record(std::size_t width, F cell) {
    std::string out;
    for (std::size_t i = 0; i < width; ++i) out += (i > 0 ? separator_ : "") + cell(i);
    return out + end_;
  }

  std::string quoted(std::string text) {
    if (one_in(3)) text += separator_ + "x" + end_ + "y";
    if (one_in(4)) text += "\"\"" + text;
    return " \"" + text + "\"";
  }

  std::string cell(std::size_t kind) {
    if (one_in(60))
      return pick({"", " ", "NA", "?", "-", "none", "-999", "oops", "1,5", "1.234,5", "$5", "inf", "1e999"});
    std::string text = std::to_string(below(2000000));
    if (kind == 0) text = std::to_string(below(3));
    if (kind == 1) text = pick({"-", ""}) + std::to_string(below(100000)) + "." + std::to_string(below(1000000));
    if (kind == 2) text = pick({"red", "green", "blue", " pale blue "}) + std::to_string(below(4));
    if (kind == 3) text = "00" + std::to_string(below(40));
    if (kind == 4) text = number_text(static_cast<double>(random_()) / 3.0e5);
    if (kind == 5) text = pick({"$1,234", "12 kg", "3.5e-3", "+4", ".5", "5."});
    if (quotes_ && one_in(5)) text = quoted(text);
    return one_in(20) ? " " + text + " " : text;
  }

  std::mt19937 random_;
  std::string end_, separator_;
  bool quotes_ = false, comments_ = false, ragged_ = false, blank_lines_ = false;
  std::vector<std::size_t> kinds_;
};

}  // namespace halfstep::internal::data::testing
