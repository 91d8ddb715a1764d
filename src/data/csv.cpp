#include "data/csv.hpp"

#include <algorithm>
#include <set>

#include "data/csv_column.hpp"
#include "data/csv_scan.hpp"
#include "data/text.hpp"

namespace halfstep::data {
namespace {

constexpr std::size_t kSniffedRows = 500;

std::string_view without_bom(const Source& source) {
  std::string_view text = source.text();
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    fail(Status::format, "cannot read the table", source.name, "the text is UTF-16", "save it as UTF-8");
  }
  return text;
}

enum class Kind { missing, number, text };

Kind kind_of(std::string_view cell, const Options& options) {
  if (is_missing_token(cell, options.missing)) return Kind::missing;
  double number = 0;
  return parse_number(cell, number) == CellKind::text ? Kind::text : Kind::number;
}

// What the rows below the first say about one column.
struct Below {
  std::size_t numbers = 0;
  std::size_t texts = 0;
  bool repeats_first = false;
};

std::vector<Below> look_below(RecordScanner scanner, const std::vector<std::string>& first, const Options& options) {
  std::vector<Below> below(first.size());
  std::vector<std::string_view> fields;
  scanner.next(fields);
  for (std::size_t row = 0; row < kSniffedRows && scanner.next(fields) && fields.size() == first.size(); ++row) {
    for (std::size_t i = 0; i < first.size(); ++i) {
      const Kind kind = kind_of(fields[i], options);
      below[i].numbers += kind == Kind::number ? 1 : 0;
      below[i].texts += kind == Kind::text ? 1 : 0;
      if (fields[i] == first[i]) below[i].repeats_first = true;
    }
  }
  return below;
}

// A header is text above numbers. Where every column is text, names are known by never being values themselves.
bool sniff_header(const RecordScanner& start, const std::vector<std::string>& first, const Options& options) {
  const std::vector<Below> below = look_below(start, first, options);
  std::size_t text_above_numbers = 0;
  std::size_t number_above_numbers = 0;
  bool all_text = true;
  bool repeated = std::set<std::string>(first.begin(), first.end()).size() < first.size();
  for (std::size_t i = 0; i < first.size(); ++i) {
    const Kind kind = kind_of(first[i], options);
    const bool numeric = below[i].numbers > 0 && below[i].texts == 0;
    if (numeric && kind == Kind::text) ++text_above_numbers;
    if (numeric && kind == Kind::number) ++number_above_numbers;
    if (kind != Kind::text && !first[i].empty()) all_text = false;
    if (below[i].repeats_first && !first[i].empty()) repeated = true;
  }
  if (text_above_numbers + number_above_numbers > 0) return text_above_numbers > number_above_numbers;
  return all_text && !repeated;
}

bool has_header(const RecordScanner& start, const std::vector<std::string>& first, const Options& options) {
  if (options.header == "yes") return true;
  if (options.header == "no") return false;
  return sniff_header(start, first, options);
}

std::vector<std::string> column_names(const std::vector<std::string>& first, bool header, const std::string& file) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < first.size(); ++i) {
    names.push_back(header && !first[i].empty() ? to_utf8(first[i]) : "c" + std::to_string(i));
  }
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (seen.insert(name).second) continue;
    fail(Status::format, "two columns have the same name", file, excerpt(name), "rename one, or use --header no");
  }
  return names;
}

[[noreturn]] void fail_ragged(const std::string& file, std::uint32_t line, std::size_t expected, std::size_t found) {
  fail(Status::format, "rows differ in length", file + ", line " + std::to_string(line),
       "expected " + std::to_string(expected) + " fields as in the first row, found " + std::to_string(found),
       "put quotes around text that contains the separator");
}

}  // namespace

Table parse_csv(const Source& source, const Options& options) {
  const std::string_view text = without_bom(source);
  const RecordScanner start(text, sniff_separator(text), source.name);
  RecordScanner scanner = start;
  std::vector<std::string_view> fields;
  if (!scanner.next(fields)) fail(Status::format, "the table is empty", source.name, "0 rows");
  const std::vector<std::string> first(fields.begin(), fields.end());

  Table table;
  table.has_header = has_header(start, first, options);
  const std::vector<std::string> names = column_names(first, table.has_header, source.name);
  if (!table.has_header) scanner = start;

  std::vector<ColumnBuilder> builders(names.size());
  while (scanner.next(fields)) {
    if (fields.size() != names.size()) fail_ragged(source.name, scanner.line(), names.size(), fields.size());
    table.lines.push_back(scanner.line());
    for (std::size_t i = 0; i < fields.size(); ++i) builders[i].add(fields[i], scanner.line(), options.missing);
  }
  table.rows = table.lines.size();
  if (table.rows == 0) {
    fail(Status::format, "the table has no rows", source.name,
         "a header of " + std::to_string(names.size()) + " names and 0 rows", "");
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    table.columns.push_back(builders[i].finish(names[i], source.name, i));
  }
  return table;
}

}  // namespace halfstep::data
