#include "data/libsvm.hpp"

#include <algorithm>
#include <limits>

#include "data/dialect.hpp"
#include "data/libsvm_scan.hpp"
#include "data/recipe.hpp"
#include "data/table_reader.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

// Labels as a table's cells, so that they are read as the target of any table is.
class LabelRows final : public SingleRows {
 public:
  LabelRows(const std::vector<std::string_view>& labels, const std::vector<std::uint32_t>& lines)
      : labels_(labels), lines_(lines) {}

  void rewind() override { row_ = 0; }
  bool next(std::vector<std::string_view>& cells) override {
    if (row_ == labels_.size()) return false;
    cells.assign(1, labels_[row_++]);
    return true;
  }
  std::uint32_t line() const override { return lines_[row_ - 1]; }

 private:
  const std::vector<std::string_view>& labels_;
  const std::vector<std::uint32_t>& lines_;
  std::size_t row_ = 0;
};

class LibsvmReader {
 public:
  LibsvmReader(const Source& source, const Options& options, const Recipe* known)
      : source_(source),
        options_(options),
        known_(known != nullptr && known->is_sparse ? known : nullptr),
        lines_(without_bom(source.text())) {}

  Table read() {
    rows_.offsets.push_back(0);
    while (lines_.next()) read_line();
    if (labels_.empty()) fail(Status::format, "the table is empty", source_.name, "0 rows", "another file");
    LabelRows cells(labels_, numbers_);
    Table table = read_table(cells, {{"label"}, false, kBlanks}, options_, known_, source_.name);
    table.labels = 1;
    count_from_first_index(table);
    if (queries_ > 0) {
      table.remarks.push_back("'qid' of " + std::to_string(queries_) + (queries_ == 1 ? " row" : " rows") +
                              " is left out: rows are learnt one by one, not ranked within a query");
    }
    for (const std::uint32_t column : rows_.columns) {
      table.sparse_width = std::max(table.sparse_width, std::size_t{column} + 1);
    }
    table.sparse = std::move(rows_);
    return table;
  }

 private:
  static std::string_view without_bom(std::string_view text) {
    return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
  }

  [[noreturn]] void fail_here(Status status, std::string why, std::string hint) const {
    fail(status, "cannot read the LIBSVM file", source_.name + ", line " + std::to_string(lines_.line()),
         std::move(why), std::move(hint));
  }

  void read_line() {
    if (labels_.size() == std::numeric_limits<std::uint32_t>::max()) {
      fail_here(Status::limit, "more rows than can be read", "a part of them");
    }
    std::string_view token = lines_.token();
    const bool labelled = token.find(':') == std::string_view::npos;
    labels_.push_back(labelled ? token : std::string_view());
    numbers_.push_back(lines_.line());
    if (labelled) {
      check_label(token);
      token = lines_.token();
    }
    if (token.starts_with("qid:")) {
      check_query(token.substr(4));
      token = lines_.token();
    }
    bool first = true;
    for (; !token.empty(); token = lines_.token()) {
      read_feature(token, first);
      first = false;
    }
    rows_.offsets.push_back(rows_.columns.size());
  }

  void check_label(std::string_view label) const {
    if (label.find('\0') != std::string_view::npos) {
      fail_here(Status::format, "a NUL byte", "the file is damaged, or is not text");
    }
    if (label.find(',') == std::string_view::npos) return;
    fail_here(Status::unsupported, "several labels in one line: " + excerpt(label),
              "one label a line: write a file for each label, with 0 or 1, and train a model on each");
  }

  void check_query(std::string_view number) {
    const bool digits = !number.empty() && std::all_of(number.begin(), number.end(), is_digit);
    if (!digits) fail_here(Status::format, "'qid:' without a whole number: " + excerpt(number), "qid:1, or without it");
    ++queries_;
  }

  void read_feature(std::string_view token, bool first) {
    LibsvmPair pair;
    const PairProblem problem = read_pair(token, pair);
    if (problem != PairProblem::none) fail_pair(problem, token);
    const std::uint32_t last = first ? 0 : rows_.columns.back();
    if (!first && pair.index <= last) {
      const std::string index = "index " + std::to_string(pair.index);
      fail_here(Status::format, pair.index == last ? index + " twice" : index + " behind " + std::to_string(last),
                pair.index == last ? "each index once in a line" : "sort the pairs of each line by their index");
    }
    rows_.columns.push_back(pair.index);
    rows_.values.push_back(pair.value);
    if (pair.index == 0 && zero_line_ == 0) zero_line_ = lines_.line();
  }

  [[noreturn]] void fail_pair(PairProblem problem, std::string_view token) const {
    if (problem == PairProblem::index) {
      fail_here(Status::limit, "the index of " + excerpt(token) + " is too large", "numbers below 2^32");
    }
    if (problem == PairProblem::infinite) {
      fail_here(Status::format, excerpt(token) + " is too large or not finite",
                "correct it, or leave the pair out where the value is 0 or not known");
    }
    const bool colon = token.find(':') != std::string_view::npos;
    fail_here(Status::format, excerpt(token) + (colon ? " is no index:value" : " is no index:value, and not the label"),
              "label index:value index:value ..., with blanks between; --format csv, if it is a table");
  }

  // The lowest index becomes column 0.
  void count_from_first_index(Table& table) {
    table.zero_based = known_ != nullptr ? known_->zero_based : zero_line_ > 0;
    if (known_ == nullptr && table.zero_based) {
      table.remarks.push_back("index 0 occurs (line " + std::to_string(zero_line_) + "): features are counted from 0");
    }
    if (known_ != nullptr && !table.zero_based && zero_line_ > 0) {
      fail(Status::format, "the features are not counted as in training",
           source_.name + ", line " + std::to_string(zero_line_), "index 0, where the training data counted from 1",
           "add 1 to every index of this file, or train on data that has an index 0 too");
    }
    if (table.zero_based) return;
    for (std::uint32_t& column : rows_.columns) --column;
  }

  const Source& source_;
  const Options& options_;
  const Recipe* known_;
  LibsvmLines lines_;
  SparseRows<double> rows_;
  std::vector<std::string_view> labels_;
  std::vector<std::uint32_t> numbers_;  // of the lines
  std::uint32_t zero_line_ = 0;         // the first with index 0; 0: none
  std::size_t queries_ = 0;
};

bool is_label(std::string_view token) {
  double number = 0;
  while (true) {
    const std::size_t comma = std::min(token.find(','), token.size());
    if (parse_number(token.substr(0, comma), number) != CellKind::number) return false;
    if (comma == token.size()) return true;
    token.remove_prefix(comma + 1);
  }
}

// 10:30: two digits each, the second below 60.
bool is_time(std::string_view token) {
  return token.size() == 5 && token[2] == ':' && is_digit(token[0]) && is_digit(token[1]) && is_digit(token[3]) &&
         is_digit(token[4]) && token[3] < '6';
}

}  // namespace

Table parse_libsvm(const Source& source, const Options& options, const Recipe* known) {
  return LibsvmReader(source, options, known).read();
}

LooksLibsvm looks_like_libsvm(std::string_view text) {
  constexpr std::size_t kLines = 20, kBytes = std::size_t{1} << 20;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const bool cut = text.size() > kBytes;
  LibsvmLines lines(text.substr(0, kBytes));
  std::size_t seen = 0, pairs = 0;
  bool times = true;
  while (seen < kLines && lines.next()) {
    if (!is_label(lines.token())) return LooksLibsvm::no;
    std::int64_t last = -1;
    std::string_view token = lines.token();
    if (token.starts_with("qid:")) {
      times = false;
      token = lines.token();
    }
    for (; !token.empty(); token = lines.token()) {
      LibsvmPair pair;
      const bool good = read_pair(token, pair) == PairProblem::none && std::int64_t{pair.index} > last;
      if (!good && cut && seen > 0) break;  // the sample may end within this pair
      if (!good) return LooksLibsvm::no;
      last = pair.index;
      times = times && is_time(token);
      ++pairs;
    }
    ++seen;
  }
  if (pairs == 0) return LooksLibsvm::no;
  return times ? LooksLibsvm::perhaps : LooksLibsvm::yes;
}

}  // namespace halfstep::internal::data
