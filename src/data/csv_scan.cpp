#include "data/csv_scan.hpp"

#include <algorithm>
#include <array>

#include "data/text.hpp"

namespace halfstep::data {
namespace {

constexpr std::size_t kSniffedLines = 10;
constexpr std::size_t kMaxFieldBytes = std::size_t{1} << 24;
constexpr std::size_t kMaxFields = 1000000;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

RecordScanner::RecordScanner(std::string_view text, char separator, const std::string& name)
    : text_(text), name_(name) {
  for (const char c : {separator, '\n', '\r', '\0'}) ends_plain_[static_cast<unsigned char>(c)] = true;
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
  while (at_ < text_.size()) {
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (!take_line_end()) {
      at_ = begin;
      return true;
    }
  }
  return false;
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
      fail_here("a quote opened here is never closed", "");
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
  if (!plain_field().empty()) fail_here("text after a closing quote", "a quote inside quotes is written twice");
  return field;
}

bool RecordScanner::next(std::vector<std::string_view>& fields) {
  fields.clear();
  unescaped_.clear();
  if (!skip_blank_lines()) return false;
  record_line_ = line_;
  for (;;) {
    std::size_t start = at_;
    while (start < text_.size() && text_[start] == ' ') ++start;
    const bool quoted = start < text_.size() && text_[start] == '"';
    if (quoted) at_ = start;
    fields.push_back(quoted ? quoted_field() : plain_field());
    if (fields.back().size() > kMaxFieldBytes || fields.size() > kMaxFields) {
      fail(Status::limit, "cannot read the table", name_ + ", line " + std::to_string(record_line_),
           fields.size() > kMaxFields ? "more than " + std::to_string(kMaxFields) + " columns"
                                      : "a field of " + std::to_string(fields.back().size()) + " bytes");
    }
    if (take_line_end()) return true;
    ++at_;  // the separator
  }
}

char sniff_separator(std::string_view text) {
  constexpr std::array<char, 3> kCandidates = {'\t', ';', ','};  // a comma may also be a decimal sign
  std::array<std::vector<std::size_t>, 3> counts;
  std::array<std::size_t, 3> current = {};
  bool quoted = false;
  bool blank = true;
  for (std::size_t i = 0; i <= text.size() && counts[0].size() < kSniffedLines; ++i) {
    const char c = i < text.size() ? text[i] : '\n';
    if (c == '"') quoted = !quoted;
    if ((c == '\n' || c == '\r') && (!quoted || i == text.size())) {
      for (std::size_t k = 0; k < 3 && !blank; ++k) counts[k].push_back(current[k]);
      current = {};
      blank = true;
      continue;
    }
    if (c != ' ') blank = false;
    for (std::size_t k = 0; k < 3 && !quoted; ++k) current[k] += c == kCandidates[k] ? 1 : 0;
  }
  std::size_t best = 2;
  std::size_t most = 0;
  for (std::size_t k = 0; k < 3; ++k) {
    if (counts[k].empty()) return ',';
    const auto [low, high] = std::minmax_element(counts[k].begin(), counts[k].end());
    if (*low == *high && *low > 0) return kCandidates[k];
    if (*high > most) {
      most = *high;
      best = k;
    }
  }
  return kCandidates[best];
}

}  // namespace halfstep::data
