#include "data/csv.hpp"

#include <algorithm>
#include <array>

#include "data/csv_column.hpp"
#include "data/csv_header.hpp"
#include "data/csv_scan.hpp"
#include "data/csv_wanted.hpp"
#include "data/recipe.hpp"
#include "data/sniff_dialect.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

std::string_view without_bom(const Source& source) {
  std::string_view text = source.text();
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    fail(Status::format, "cannot read the table", source.name, "the text is UTF-16", "save it as UTF-8");
  }
  return text;
}

Dialect find_dialect(std::string_view text, const Options& options, const Recipe* known) {
  if (!known || known->is_matrix) return sniff_dialect(text, options.separator);
  const std::array<std::size_t, 2> expected = {known->columns.size() + 1, known->columns.size()};
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

// Columns of a file read for a model, whose last columns may be empty in every record of this file: with its target
// where records have the fields for that, without where they have not. `used` as counted above.
std::size_t count_known_columns(const Recipe& known, std::size_t used, std::size_t width) {
  const std::size_t inputs = known.columns.size();
  const std::size_t likely = width > inputs ? inputs + 1 : inputs;
  return used < likely && likely <= width ? likely : used;
}

bool has_column(const Recipe& known, const std::string& name) {
  const auto same = [&](const InputColumn& column) { return column.name == name; };
  return name == known.target || std::any_of(known.columns.begin(), known.columns.end(), same);
}

bool is_libsvm_pair(std::string_view field) {
  const std::size_t colon = field.find(':');
  double value = 0;
  if (colon == 0 || colon == std::string_view::npos) return false;
  if (field.find_first_not_of("0123456789") != colon) return false;
  return parse_number(field.substr(colon + 1), value) == CellKind::number;
}

void refuse_libsvm(const std::vector<std::string>& first, const std::string& name) {
  if (first.size() < 2 || !std::all_of(first.begin() + 1, first.end(), is_libsvm_pair)) return;
  fail(Status::unsupported, "unknown data format", name,
       "it looks like LIBSVM (label index:value ...), which is not read", "save it as a table, such as CSV");
}

class TableReader {
 public:
  TableReader(const Source& source, const Options& options, const Recipe* known)
      : name_(source.name),
        options_(options),
        known_(known && !known->is_matrix ? known : nullptr),
        dialect_(find_dialect(without_bom(source), options, known_)),
        start_(without_bom(source), dialect_, source.name) {}

  Table read() {
    read_first();
    wanted_ = known_ ? wanted_by_knowledge(header_.names, header_.present, *known_)
                     : wanted_by_options(header_.names, options_);
    for (Wanted& wanted : wanted_) {
      std::vector<std::string> tokens = options_.missing;
      if (known_) tokens.insert(tokens.end(), known_->missing.begin(), known_->missing.end());
      wanted.rules.own_missing = !tokens.empty();
      tokens.insert(tokens.end(), wanted.missing.begin(), wanted.missing.end());
      missing_.emplace_back(tokens);
      builders_.emplace_back(wanted.keep_texts);
    }
    read_cells(std::vector<bool>(builders_.size(), true), &table_.lines);
    table_.rows = table_.lines.size();
    if (table_.rows == 0) {
      fail(Status::format, "the table has no rows", name_,
           "a header of " + std::to_string(header_.names.size()) + " names and 0 rows", "--header no, if it is a row");
    }
    decide_decimal();
    finish_columns();
    say_how();
    return std::move(table_);
  }

 private:
  void read_first() {
    RecordScanner scanner = start_;
    std::vector<std::string_view> fields;
    if (!scanner.next(fields)) fail(Status::format, "the table is empty", name_, "0 rows", "another file");
    std::vector<std::string> first(fields.begin(), fields.end());
    // Fields between other separators are times of day, and a model's rows are rows of its table.
    if (!known_ && (dialect_.separator == kBlanks || dialect_.separator == '\t')) refuse_libsvm(first, name_);
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

  // Gives the cells of the selected columns to their builders, and lines to `lines` unless null.
  void read_cells(const std::vector<bool>& selected, std::vector<std::uint32_t>* lines) {
    RecordScanner scanner = start_;
    std::vector<std::string_view> fields;
    if (skip_first_) scanner.next(fields);
    while (scanner.next(fields)) {
      const bool fits = fields.size() >= least_ && (fields.size() <= builders_.size() || only_empty_from(fields));
      if (!fits) fail_ragged(scanner, fields.size());
      fields.resize(builders_.size());
      if (lines) lines->push_back(scanner.line());
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (selected[i]) builders_[i].add(fields[i], scanner.line(), missing_[i]);
      }
    }
    comments_ = scanner.comments();
  }

  bool only_empty_from(const std::vector<std::string_view>& fields) const {
    return std::all_of(fields.begin() + static_cast<std::ptrdiff_t>(builders_.size()), fields.end(),
                       [](std::string_view field) { return field.empty(); });
  }

  [[noreturn]] void fail_ragged(RecordScanner& scanner, std::size_t found) const {
    const std::uint32_t line = scanner.line();
    const std::size_t expected = builders_.size();
    std::vector<std::string_view> fields;
    std::size_t others = 0;
    while (scanner.next(fields)) others += fields.size() != expected ? 1 : 0;
    const std::string sign = separator_name(dialect_.separator);
    std::string hint = "put quotes around a text in which the separator (" + sign + ") stands";
    if (found < expected && dialect_.separator == kBlanks) {
      hint = "write NA for what is missing, for blanks cannot show it";
    } else if (found < expected) {
      hint = "end the line with " + std::to_string(expected - found) + " more of the separator (" + sign +
             ") for the empty fields";
    }
    fail(Status::format, "rows differ in length", name_ + ", line " + std::to_string(line),
         "expected " + std::to_string(expected) + " fields" +
             (header_.present ? " as in the header" : " as in most rows") + ", found " + std::to_string(found) +
             (others > 0 ? "; " + std::to_string(others) + " more rows differ" : ""),
         hint + "; if another sign separates, --separator");
  }

  // One sign for the file, where some column tells.
  void decide_decimal() {
    DecimalSign sign = DecimalSign::point;
    bool is_known = options_.decimal != "auto";
    if (options_.decimal == "comma") sign = DecimalSign::comma;
    if (options_.decimal == "auto" && known_) {
      is_known = true;
      if (known_->decimal_comma) sign = DecimalSign::comma;
    }
    if (!is_known) {
      bool comma = false, point = false;
      for (const ColumnBuilder& builder : builders_) {
        comma = comma || builder.decides_for(DecimalSign::comma);
        point = point || builder.decides_for(DecimalSign::point);
      }
      for (const ColumnBuilder& builder : builders_) point = point || (!comma && builder.evidence().has_point);
      is_known = comma != point;
      // Semicolons are what is left where commas are decimal signs.
      if (comma ? !point : !point && dialect_.separator == ';') sign = DecimalSign::comma;
    }
    table_.decimal_comma = sign == DecimalSign::comma && is_known;
    for (Wanted& wanted : wanted_) {
      wanted.rules.decimal = sign;
      wanted.rules.decimal_is_known = is_known;
    }
  }

  void finish_columns() {
    std::vector<ColumnKind> kinds;
    std::vector<bool> again(builders_.size());
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      kinds.push_back(decide_kind(builders_[i].evidence(), wanted_[i].rules, column_key(header_.names[i], i)));
      again[i] = kinds[i].needs_texts;
      if (again[i]) builders_[i] = ColumnBuilder(true);
    }
    if (std::find(again.begin(), again.end(), true) != again.end()) read_cells(again, nullptr);
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      if (again[i]) kinds[i] = decide_kind(builders_[i].evidence(), wanted_[i].rules, column_key(header_.names[i], i));
      table_.columns.push_back(builders_[i].finish(header_.names[i], kinds[i], name_, i));
    }
  }

  void say_how() {
    table_.has_header = header_.present;
    table_.separator = dialect_.separator;
    table_.remarks = header_.remarks;
    if (comments_ > 0) {
      table_.remarks.push_back(std::to_string(comments_) +
                               (comments_ == 1 ? " line that begins" : " lines that begin") + " with '#' left out");
    }
    for (const std::string& token : options_.missing) {
      const MissingTokens one(std::span(&token, 1));
      const auto has = [&](const TokenCount& seen) { return one.contains(seen.token); };
      const bool used = std::any_of(table_.columns.begin(), table_.columns.end(), [&](const Column& column) {
        return std::any_of(column.missing_tokens.begin(), column.missing_tokens.end(), has);
      });
      if (!used) table_.unused_missing.push_back(token);
    }
  }

  const std::string& name_;
  const Options& options_;
  const Recipe* known_;
  Dialect dialect_;
  RecordScanner start_;
  std::vector<MissingTokens> missing_;  // of each column
  Header header_;
  bool skip_first_ = false;
  std::size_t least_ = 0;  // fields that a row must have
  std::size_t comments_ = 0;
  std::vector<Wanted> wanted_;
  std::vector<ColumnBuilder> builders_;
  Table table_;
};

}  // namespace

Table parse_csv(const Source& source, const Options& options, const Recipe* known) {
  return TableReader(source, options, known).read();
}

}  // namespace halfstep::internal::data
