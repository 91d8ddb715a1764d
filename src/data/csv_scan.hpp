// Cuts separated text into records and fields (RFC 4180, and what real files make of it).
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "data/dialect.hpp"
#include "data/plain_number.hpp"

namespace halfstep::internal::data {

constexpr std::size_t kSniffedRows = 500;  // looked at for the number of columns and for names

class RecordScanner {
 public:
  RecordScanner(std::string_view text, const Dialect& dialect, const std::string& name);

  // The next record that is neither blank nor a comment; false at the end. Fields live until the next call, trimmed and
  // unquoted. Throws Error(format) for an unterminated quote, text after a closing quote, and NUL bytes.
  bool next(std::vector<std::string_view>& fields);

  // The same a field at a time: begin_record(), then field(), or take() of what plain_number() found, until
  // end_of_record().
  bool begin_record();
  // Trimmed and unquoted; lives until the next record.
  std::string_view field();
  // Whether the field is a plain number, as its text would be read.
  bool plain_number(PlainNumber& number) const {
    if (!plain_numbers_ || at_ + kPlainNumberRoom > text_.size()) return false;
    const std::size_t last = text_.size() - kPlainNumberRoom;
    std::size_t begin = at_;
    while (text_[begin] == ' ') {
      if (++begin > last) return false;
    }
    if (!read_plain_number(text_.data() + begin, number)) return false;
    number.length += begin - at_;
    const char behind = text_[at_ + number.length];
    return behind != '\0' && ends_plain_[static_cast<unsigned char>(behind)];
  }
  void take(const PlainNumber& number) {
    at_ += number.length;
    ++fields_;
  }
  // Behind a field: whether it was the last; if not, the next begins.
  bool end_of_record();

  // One that reads the records that begin in this part of the text, where `begin` is the start of a line. It counts
  // comments anew, and lines from those that are before it.
  RecordScanner part(std::size_t begin, std::size_t end, std::uint32_t lines_before = 0) const;
  void stop_at(std::size_t end) { stop_ = end; }
  std::size_t position() const { return at_; }              // in the text
  std::uint32_t lines_before() const { return line_ - 1; }  // of the position
  std::string_view text() const { return text_; }

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
  std::size_t stop_;        // no record begins here or behind
  std::size_t fields_ = 0;  // of the record, so far
  std::uint32_t line_ = 1;
  std::uint32_t record_line_ = 1;
  bool ends_plain_[256] = {};          // bytes at which an unquoted field stops
  bool plain_numbers_;                 // the separator is no part of one
  std::deque<std::string> unescaped_;  // fields that had doubled quotes
};

}  // namespace halfstep::internal::data
