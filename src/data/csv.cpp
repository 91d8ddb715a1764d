#include "data/csv.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "data/csv_header.hpp"
#include "data/csv_records.hpp"
#include "data/csv_scan.hpp"
#include "data/csv_stream.hpp"
#include "data/recipe.hpp"
#include "data/sniff_dialect.hpp"
#include "data/table_reader.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

// Without a byte order mark, and without the control sign with which DOS ends a text.
std::string_view text_of(const Source& source) {
  std::string_view text = source.text();
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.ends_with('\x1a')) text.remove_suffix(1);
  return text;
}

// A first line "sep=;", by which spreadsheets say what separates. No bytes: there is none.
struct SeparatorLine {
  std::size_t bytes = 0;
  char separator = 0;
};
SeparatorLine separator_line(std::string_view text) {
  constexpr std::string_view kBegin = "sep=";
  if (!text.starts_with(kBegin) || text.size() < kBegin.size() + 2) return {};
  const std::string_view end = text.substr(kBegin.size() + 1, 2);
  const std::size_t ends = end == "\r\n" ? 2 : end[0] == '\n' || end[0] == '\r' ? 1 : 0;
  return ends == 0 ? SeparatorLine() : SeparatorLine{kBegin.size() + 1 + ends, text[kBegin.size()]};
}

Dialect find_dialect(std::string_view text, const SeparatorLine& line, const Options& options, const Recipe* known) {
  text.remove_prefix(line.bytes);
  if (line.bytes > 0 && options.separator == "auto") return sniff_dialect(text, std::string(1, line.separator));
  if (!known) return sniff_dialect(text, options.separator);
  const std::array<std::size_t, 2> expected = {known->table_width(), known->inputs_width()};
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
  const std::size_t inputs = known.inputs_width();
  const std::size_t likely = width > inputs ? known.table_width() : inputs;
  return used < likely && likely <= width ? likely : used;
}

bool has_column(const Recipe& known, const std::string& name) {
  const auto same = [&](const InputColumn& column) { return column.name == name; };
  return known.is_target(name) || std::any_of(known.columns.begin(), known.columns.end(), same);
}

class CsvReader {
 public:
  CsvReader(const Source& source, const Options& options, const Recipe* known, const ReadHow& how,
            const InputFile* file = nullptr)
      : name_(source.name),
        how_(how),
        file_(file),
        text_begin_(static_cast<std::size_t>(text_of(source).data() - source.bytes.data())),
        options_(options),
        known_(known && !known->is_matrix && !known->is_sparse ? known : nullptr),
        separator_line_(separator_line(text_of(source))),
        dialect_(find_dialect(text_of(source), separator_line_, options, known_)),
        start_(RecordScanner(text_of(source), dialect_, source.name)
                   .part(separator_line_.bytes, text_of(source).size(), separator_line_.bytes > 0 ? 1 : 0)) {}

  Table read() {
    read_first();
    RecordScanner behind_header = start_;
    std::vector<std::string_view> fields;
    if (skip_first_) behind_header.next(fields);
    const RecordShape shape = {header_.names.size(), least_, header_.present, dialect_.separator};
    std::size_t comments = 0;
    Table table = file_ ? stream(behind_header, shape, comments) : read(behind_header, shape, comments);
    if (table.rows == 0) {
      fail(Status::format, "the table has no rows", name_,
           "a header of " + std::to_string(header_.names.size()) + " names and 0 rows", "--header no, if it is a row");
    }
    table.remarks = header_.remarks;
    if (separator_line_.bytes > 0) {
      table.remarks.push_back("the first line says that " + separator_name(dialect_.separator) + " separates fields");
    }
    if (comments > 0) {
      table.remarks.push_back(std::to_string(comments) + (comments == 1 ? " line that begins" : " lines that begin") +
                              " with '#' left out");
    }
    return table;
  }

 private:
  Table read(CellRows& rows) const {
    return read_table(rows, {header_.names, header_.present, dialect_.separator}, options_, known_, name_);
  }

  Table read(const RecordScanner& start, const RecordShape& shape, std::size_t& comments) const {
    CsvRecords records(start, shape, name_, how_);
    Table table = read(records);
    comments = records.comments();
    return table;
  }

  Table stream(const RecordScanner& start, const RecordShape& shape, std::size_t& comments) const {
    const auto store = std::make_shared<ColumnStore>(how_.cache.folder, shape.columns, how_.cache.block_rows);
    CsvStream records(*file_, text_begin_, start, dialect_, shape, how_, *store);
    Table table = read(records);
    comments = records.comments();
    table.store = store;
    return table;
  }

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
  const ReadHow& how_;
  const InputFile* file_;     // of which the text is the first part; null: all of it is here
  std::uint64_t text_begin_;  // in the file
  const Options& options_;
  const Recipe* known_;
  SeparatorLine separator_line_;
  Dialect dialect_;
  RecordScanner start_;
  Header header_;
  bool skip_first_ = false;
  std::size_t least_ = 0;
};

}  // namespace

Table parse_csv(const Source& source, const Options& options, const Recipe* known, const ReadHow& how) {
  return CsvReader(source, options, known, how).read();
}

Table stream_csv(const Source& head, const InputFile& file, const Options& options, const ReadHow& how) {
  return CsvReader(head, options, nullptr, how, &file).read();
}

}  // namespace halfstep::internal::data
