#include "data/csv_scan.hpp"

#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kMaxFieldBytes = std::size_t{1} << 24;
constexpr std::size_t kMaxFields = 1000000;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

// Fields of a line, whatever quotes say about the lines behind it.
std::size_t count_fields(std::string_view line, char separator) {
  std::size_t fields = 1;
  bool quoted = false, blank_before = true;
  for (const char c : separator == kBlanks ? trim(line) : line) {
    if (c == '"') quoted = !quoted;
    const bool cuts = separator == kBlanks ? (c == ' ' || c == '\t') && !blank_before : c == separator;
    fields += cuts && !quoted ? 1 : 0;
    blank_before = c == ' ' || c == '\t';
  }
  return fields;
}

RecordScanner::RecordScanner(std::string_view text, const Dialect& dialect, const std::string& name)
    : text_(text),
      dialect_(dialect),
      name_(name),
      stop_(text.size()),
      plain_numbers_(!is_digit(dialect.separator) && dialect.separator != '.' && dialect.separator != '-') {
  for (const char c : {dialect.separator, '\n', '\r', '\0'}) ends_plain_[static_cast<unsigned char>(c)] = true;
  if (dialect.separator == kBlanks) ends_plain_[static_cast<unsigned char>('\t')] = true;
}

void RecordScanner::fail_here(std::string why, std::string hint) const {
  fail(Status::format, "cannot read the table", name_ + ", line " + std::to_string(line_), std::move(why),
       std::move(hint));
}

// LF, CRLF and CR each end a line.
bool RecordScanner::take_line_end() {
  if (at_ == text_.size()) return true;
  const char c = text_[at_];
  if (c != '\n' && c != '\r') return false;
  at_ += c == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n' ? 2 : 1;
  ++line_;
  return true;
}

bool RecordScanner::skip_blank_lines() {
  while (at_ < stop_) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (!take_line_end()) {
      at_ = begin;
      return true;
    }
  }
  return false;
}

bool RecordScanner::skip_comment() {
  if (!dialect_.comments) return false;
  const std::size_t hash = text_.find_first_not_of(" \t", at_);
  if (hash == std::string_view::npos || text_[hash] != '#') return false;
  const std::string_view line = text_.substr(at_, text_.find_first_of("\r\n", at_) - at_);
  if (dialect_.width > 1 && count_fields(line, dialect_.separator) == dialect_.width) return false;
  ++comments_;
  last_comment_ = line;
  at_ += line.size();
  take_line_end();
  return true;
}

void RecordScanner::skip_blanks() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
}

std::string_view RecordScanner::plain_field() {
  const std::size_t begin = at_;
  while (at_ < text_.size() && !ends_plain_[static_cast<unsigned char>(text_[at_])]) ++at_;
  if (at_ < text_.size() && text_[at_] == '\0') fail_here("a NUL byte", "the file is damaged, or is not text");
  return trim(text_.substr(begin, at_ - begin));
}

// Starts at the opening quote and stops at the separator or line end.
std::string_view RecordScanner::quoted_field() {
  const std::uint32_t opened = line_;
  std::size_t begin = ++at_;
  std::string* joined = nullptr;
  for (;;) {
    if (at_ == text_.size()) {
      line_ = opened;
      fail_here("a quote opened here is never closed",
                "close it, or write a field that begins with a quote as \"\"\"...\"");
    }
    const char c = text_[at_];
    if (c == '\0') fail_here("a NUL byte", "the file is damaged, or is not text");
    if (c == '\n' || (c == '\r' && text_.substr(at_ + 1, 1) != "\n")) ++line_;
    if (c != '"') {
      ++at_;
      continue;
    }
    if (text_.substr(at_ + 1, 1) != "\"") break;
    if (!joined) joined = &unescaped_.emplace_back();
    joined->append(text_, begin, at_ + 1 - begin);
    begin = at_ += 2;
  }
  std::string_view field = text_.substr(begin, at_ - begin);
  if (joined) field = joined->append(field);
  ++at_;
  if (!plain_field().empty()) {
    fail_here("text after a closing quote",
              "write a quote inside quotes twice; if another sign separates, --separator");
  }
  return field;
}

bool RecordScanner::begin_record() {
  if (!unescaped_.empty()) unescaped_.clear();
  fields_ = 0;
  do {
    if (!skip_blank_lines()) return false;
  } while (skip_comment());
  record_line_ = line_;
  if (dialect_.separator == kBlanks) skip_blanks();
  return true;
}

std::string_view RecordScanner::field() {
  std::size_t start = at_;
  while (start < text_.size() && text_[start] == ' ') ++start;
  const bool quoted = start < text_.size() && text_[start] == '"';
  if (quoted) at_ = start;
  const std::string_view field = quoted ? quoted_field() : plain_field();
  ++fields_;
  if (field.size() > kMaxFieldBytes || fields_ > kMaxFields) {
    fail(Status::limit, "cannot read the table", name_ + ", line " + std::to_string(record_line_),
         fields_ > kMaxFields ? "more than " + std::to_string(kMaxFields) + " columns"
                              : "a field of " + std::to_string(field.size()) + " bytes");
  }
  return field;
}

bool RecordScanner::end_of_record() {
  const bool blanks = dialect_.separator == kBlanks;
  if (blanks) skip_blanks();
  if (take_line_end()) return true;
  if (!blanks) ++at_;  // the separator
  return false;
}

bool RecordScanner::next(std::vector<std::string_view>& fields) {
  fields.clear();
  if (!begin_record()) return false;
  do {
    fields.push_back(field());
  } while (!end_of_record());
  return true;
}

RecordScanner RecordScanner::part(std::size_t begin, std::size_t end, std::uint32_t lines_before) const {
  RecordScanner scanner(text_, dialect_, name_);
  scanner.at_ = begin;
  scanner.stop_ = end;
  scanner.line_ = lines_before + 1;
  return scanner;
}

}  // namespace halfstep::internal::data
