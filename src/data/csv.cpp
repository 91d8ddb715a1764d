#include "data/csv.hpp"

#include <algorithm>
#include <array>

#include "data/csv_header.hpp"
#include "data/csv_scan.hpp"
#include "data/recipe.hpp"
#include "data/sniff_dialect.hpp"
#include "data/table_reader.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

std::string_view without_bom(const Source& source) {
  std::string_view text = source.text();
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

Dialect find_dialect(std::string_view text, const Options& options, const Recipe* known) {
  if (!known) return sniff_dialect(text, options.separator);
  const std::array<std::size_t, 2> expected = {known->table_width(), known->columns.size()};
  return sniff_dialect(text, options.separator, expected, known->separator);
}

// Fields of the widest usual record, without a column in which no record has a text: separators at the ends of lines.
std::size_t count_columns(const RecordScanner& start, std::size_t width) {
  RecordScanner scanner = start;
  std::vector<std::string_view> fields;
  std::size_t used = 1;
  for (std::size_t row = 0; row < kSniffedRows && scanner.next(fields); ++row) {
    const auto last =
        std::find_if(fields.rbegin(), fields.rend(), [](std::string_view field) { return !field.empty(); });
    const auto texts = static_cast<std::size_t>(fields.rend() - last);
    if (row == 0 || texts <= width) used = std::max(used, texts);
  }
  return used;
}

// Columns of a file read for a model, whose last columns may be empty in every record of this file: with its targets
// where records have the fields for that, without where they have not. `used` as counted above.
std::size_t count_known_columns(const Recipe& known, std::size_t used, std::size_t width) {
  const std::size_t inputs = known.columns.size();
  const std::size_t likely = width > inputs ? known.table_width() : inputs;
  return used < likely && likely <= width ? likely : used;
}

bool has_column(const Recipe& known, const std::string& name) {
  const auto same = [&](const InputColumn& column) { return column.name == name; };
  return known.is_target(name) || std::any_of(known.columns.begin(), known.columns.end(), same);
}

// The records of a file behind its header.
class Records final : public CellRows {
 public:
  Records(const RecordScanner& start, const Dialect& dialect, const std::string& name, const Header& header,
          bool skip_first, std::size_t least)
      : start_(start),
        scanner_(start),
        dialect_(dialect),
        name_(name),
        header_(header),
        skip_first_(skip_first),
        least_(least) {}

  void rewind() override {
    scanner_ = start_;
    std::vector<std::string_view> fields;
    if (skip_first_) scanner_.next(fields);
  }

  bool next(std::vector<std::string_view>& fields) override {
    if (!scanner_.next(fields)) return false;
    const bool fits = fields.size() >= least_ && (fields.size() <= columns() || only_empty_from(fields));
    if (!fits) fail_ragged(fields.size());
    fields.resize(columns());
    return true;
  }

  std::uint32_t line() const override { return scanner_.line(); }
  std::size_t comments() const { return scanner_.comments(); }  // once all is read

 private:
  std::size_t columns() const { return header_.names.size(); }

  bool only_empty_from(const std::vector<std::string_view>& fields) const {
    return std::all_of(fields.begin() + static_cast<std::ptrdiff_t>(columns()), fields.end(),
                       [](std::string_view field) { return field.empty(); });
  }

  [[noreturn]] void fail_ragged(std::size_t found) {
    const std::uint32_t line = scanner_.line();
    std::vector<std::string_view> fields;
    std::size_t others = 0;
    while (scanner_.next(fields)) others += fields.size() != columns() ? 1 : 0;
    const std::string sign = separator_name(dialect_.separator);
    std::string hint = "put quotes around a text in which the separator (" + sign + ") stands";
    if (found < columns() && dialect_.separator == kBlanks) {
      hint = "write NA for what is missing, for blanks cannot show it";
    } else if (found < columns()) {
      hint = "end the line with " + std::to_string(columns() - found) + " more of the separator (" + sign +
             ") for the empty fields";
    }
    fail(Status::format, "rows differ in length", name_ + ", line " + std::to_string(line),
         "expected " + std::to_string(columns()) + " fields" +
             (header_.present ? " as in the header" : " as in most rows") + ", found " + std::to_string(found) +
             (others > 0 ? "; " + std::to_string(others) + " more rows differ" : ""),
         hint + "; if another sign separates, --separator");
  }

  const RecordScanner& start_;
  RecordScanner scanner_;
  const Dialect& dialect_;
  const std::string& name_;
  const Header& header_;
  bool skip_first_;    // it has the names
  std::size_t least_;  // fields that a row must have
};

class CsvReader {
 public:
  CsvReader(const Source& source, const Options& options, const Recipe* known)
      : name_(source.name),
        options_(options),
        known_(known && !known->is_matrix && !known->is_sparse ? known : nullptr),
        dialect_(find_dialect(without_bom(source), options, known_)),
        start_(without_bom(source), dialect_, source.name) {}

  Table read() {
    read_first();
    Records records(start_, dialect_, name_, header_, skip_first_, least_);
    Table table = read_table(records, {header_.names, header_.present, dialect_.separator}, options_, known_, name_);
    if (table.rows == 0) {
      fail(Status::format, "the table has no rows", name_,
           "a header of " + std::to_string(header_.names.size()) + " names and 0 rows", "--header no, if it is a row");
    }
    table.remarks = header_.remarks;
    if (records.comments() > 0) {
      table.remarks.push_back(std::to_string(records.comments()) +
                              (records.comments() == 1 ? " line that begins" : " lines that begin") +
                              " with '#' left out");
    }
    return table;
  }

 private:
  void read_first() {
    RecordScanner scanner = start_;
    std::vector<std::string_view> fields;
    if (!scanner.next(fields)) fail(Status::format, "the table is empty", name_, "0 rows", "another file");
    std::vector<std::string> first(fields.begin(), fields.end());
    const std::size_t used = count_columns(start_, std::max(first.size(), dialect_.width));
    const std::size_t columns = known_ ? count_known_columns(*known_, used, dialect_.width) : used;
    if (first.size() > columns) first.resize(columns);
    header_ = read_header(start_, first, columns, options_, known_);
    skip_first_ = header_.present;
    least_ = header_.present && first.size() + 1 != columns ? std::min(first.size(), used) : used;
    if (header_.present && known_ && known_->has_header) leave_out_nameless(used);
    if (!header_.present && scanner.comments() > 0) take_comment_for_names(scanner.last_comment(), columns);
  }

  // Columns behind the first `used`: separators at the ends of lines, unless the model has columns of these names.
  void leave_out_nameless(std::size_t used) {
    while (header_.names.size() > used && !has_column(*known_, header_.names.back())) header_.names.pop_back();
  }

  // "# a b c" above columns that blanks separate: numpy writes names so.
  void take_comment_for_names(std::string_view comment, std::size_t columns) {
    comment.remove_prefix(std::min(comment.find_first_not_of("# \t"), comment.size()));
    RecordScanner scanner(comment, Dialect{dialect_.separator}, name_);
    std::vector<std::string_view> fields;
    if (options_.header != "auto" || !scanner.next(fields) || fields.size() != columns) return;
    double number = 0;
    const auto is_name = [&](std::string_view f) { return !f.empty() && parse_number(f, number) == CellKind::text; };
    if (!std::all_of(fields.begin(), fields.end(), is_name)) return;
    Options named = options_;
    named.header = "yes";
    header_ = read_header(start_, {fields.begin(), fields.end()}, columns, named, known_);
    header_.remarks.push_back("the line of comment above the first row is taken as names of columns: " +
                              list_names(header_.names, 4));
  }

  const std::string& name_;
  const Options& options_;
  const Recipe* known_;
  Dialect dialect_;
  RecordScanner start_;
  Header header_;
  bool skip_first_ = false;
  std::size_t least_ = 0;
};

}  // namespace

Table parse_csv(const Source& source, const Options& options, const Recipe* known) {
  return CsvReader(source, options, known).read();
}

}  // namespace halfstep::internal::data
