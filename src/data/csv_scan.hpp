// Cuts separated text into records and fields (RFC 4180, and what real files make of it).
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "data/dialect.hpp"

namespace halfstep::internal::data {

constexpr std::size_t kSniffedRows = 500;  // looked at for the number of columns and for names

class RecordScanner {
 public:
  RecordScanner(std::string_view text, const Dialect& dialect, const std::string& name);

  // The next record that is neither blank nor a comment; false at the end. Fields live until the next call, trimmed and
  // unquoted. Throws Error(format) for an unterminated quote, text after a closing quote, and NUL bytes.
  bool next(std::vector<std::string_view>& fields);

  std::uint32_t line() const { return record_line_; }  // where the record began, from 1
  std::size_t comments() const { return comments_; }   // left out so far
  std::string_view last_comment() const { return last_comment_; }

 private:
  bool skip_blank_lines();
  bool skip_comment();
  void skip_blanks();
  std::string_view plain_field();
  std::string_view quoted_field();
  bool take_line_end();
  [[noreturn]] void fail_here(std::string why, std::string hint) const;

  std::string_view text_;
  Dialect dialect_;
  std::string name_;
  std::size_t comments_ = 0;
  std::string_view last_comment_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::uint32_t record_line_ = 1;
  bool ends_plain_[256] = {};          // bytes at which an unquoted field stops
  std::deque<std::string> unescaped_;  // fields that had doubled quotes
};

}  // namespace halfstep::internal::data
