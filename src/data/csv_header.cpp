#include "data/csv_header.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "data/missing.hpp"
#include "data/number_format.hpp"
#include "data/text.hpp"
#include "text/utf8.hpp"

namespace halfstep::internal::data {
namespace {

using Cells = std::vector<std::string>;

enum class Kind { missing, number, text };

Kind kind_of(std::string_view cell, const MissingTokens& own) {
  cell = trim_blanks(cell);
  if (is_missing_number(cell) || own.contains(cell)) return Kind::missing;
  double number = 0;
  if (parse_number(cell, number) != CellKind::text) return Kind::number;
  for (const DecimalSign decimal : {DecimalSign::point, DecimalSign::comma}) {
    const auto written = read_written_number(cell, decimal);
    if (written && (written->unit.empty() || is_quantity_sign(written->unit))) return Kind::number;
  }
  return Kind::text;
}

// What the rows below the first say about one column.
struct Below {
  std::size_t numbers = 0;
  std::size_t texts = 0;
  bool fractions = false;
  bool repeats_first = false;
  std::set<std::string, std::less<>> distinct;
  bool numeric() const { return numbers > 0 && texts == 0; }
  // A few values again and again, and the first is none of them.
  bool first_is_new() const { return numbers + texts > 1 && 2 * distinct.size() <= numbers + texts && !repeats_first; }
};

std::vector<Below> look_below(RecordScanner scanner, const Cells& first, const MissingTokens& own) {
  std::vector<Below> below(first.size());
  std::vector<std::string_view> fields;
  scanner.next(fields);
  for (std::size_t row = 0; row < kSniffedRows && scanner.next(fields); ++row) {
    for (std::size_t i = 0; i < std::min(first.size(), fields.size()); ++i) {
      const Kind kind = kind_of(fields[i], own);
      below[i].numbers += kind == Kind::number ? 1 : 0;
      below[i].texts += kind == Kind::text ? 1 : 0;
      if (kind != Kind::missing) below[i].distinct.emplace(fields[i]);
      if (kind == Kind::number && fields[i].find_first_of(".,") != std::string_view::npos) below[i].fractions = true;
      if (fields[i] == first[i]) below[i].repeats_first = true;
    }
  }
  return below;
}

// The numbers of a first line as names: 0, 1, 2 as pandas writes them, 1, 2, 3, or years, in even steps. One number
// alone is a name when it is 0.
struct NumberNames {
  bool even = true;
  bool rising = true;  // whole, each above the one before
  bool from_zero = true, from_one = true;
  std::size_t count = 0;
};

NumberNames look_at_numbers(const Cells& first, const MissingTokens& own) {
  NumberNames names;
  std::vector<double> numbers;
  for (const std::string& cell : first) {
    double number = 0;
    if (kind_of(cell, own) != Kind::number) continue;
    if (parse_number(cell, number) != CellKind::number || number != std::floor(number)) names.rising = false;
    if (!numbers.empty() && number <= numbers.back()) names.rising = false;
    names.from_zero = names.from_zero && number == static_cast<double>(numbers.size());
    names.from_one = names.from_one && number == static_cast<double>(numbers.size() + 1);
    numbers.push_back(number);
  }
  names.count = numbers.size();
  const double step = numbers.size() > 1 ? numbers[1] - numbers[0] : 0;
  names.even = names.rising && (numbers.size() > 1 || names.from_zero);
  for (std::size_t i = 1; i < numbers.size(); ++i) names.even = names.even && numbers[i] - numbers[i - 1] == step;
  return names;
}

// A header is text above numbers. Where every column is text, names are known by never being values themselves.
bool sniff_header(const RecordScanner& start, const Cells& first, const MissingTokens& own) {
  const std::vector<Below> below = look_below(start, first, own);
  std::size_t text_above_numbers = 0;
  std::size_t number_above_numbers = 0;
  bool all_text = true, fractions = false, new_text = false, new_number = false;
  bool repeated = std::set<std::string>(first.begin(), first.end()).size() < first.size();
  for (std::size_t i = 0; i < first.size(); ++i) {
    const Kind kind = kind_of(first[i], own);
    if (below[i].numeric() && kind == Kind::text) ++text_above_numbers;
    if (below[i].numeric() && kind == Kind::number) ++number_above_numbers;
    if (kind != Kind::text && !first[i].empty()) all_text = false;
    if (below[i].repeats_first && !first[i].empty()) repeated = true;
    fractions = fractions || below[i].fractions;
    new_text = new_text || (kind == Kind::text && below[i].first_is_new());
    new_number = new_number || (kind == Kind::number && below[i].first_is_new());
  }
  if (text_above_numbers > number_above_numbers) return true;
  if (text_above_numbers + number_above_numbers == 0) return all_text && !repeated;
  const NumberNames names = look_at_numbers(first, own);
  if (text_above_numbers > 0 && names.rising && names.count > 1 && fractions) return true;  // years, with gaps
  if (!names.even) return false;
  // Numbers alone could be a row; 0, 1, 2, ... or 1, 2, 3, 4, ... to the end hardly, above fractions or where one of
  // them is found nowhere else.
  const bool counts = (names.from_zero && names.count >= 3) || (names.from_one && names.count >= 4);
  const bool counted = counts && (fractions || new_number || names.count >= 8);
  const bool named = text_above_numbers > 0 || (new_text && fractions && names.count > 1);
  return named || (counted && number_above_numbers == names.count);
}

// "# a,b,c", as numpy writes names.
Cells without_hash(Cells cells) {
  if (!cells[0].starts_with('#')) return cells;
  const std::size_t begin = cells[0].find_first_not_of('#');
  cells[0] = begin == std::string::npos ? "" : std::string(trim_blanks(std::string_view(cells[0]).substr(begin)));
  return cells;
}

void make_names(const Cells& first, std::size_t width, Header& header) {
  const bool row_names = header.present && first.size() + 1 == width;  // as R writes them: a column more than names
  std::set<std::string> seen;
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t at = row_names ? i - 1 : i;
    const bool named = header.present && at < first.size() && !first[at].empty();
    std::string name = named ? to_utf8(first[at]) : "c" + std::to_string(i);
    const std::string base = name;
    for (std::size_t n = 1; !seen.insert(name).second; ++n) name = base + "." + std::to_string(n);
    if (named && name != base) {
      header.remarks.push_back("two columns have the name " + excerpt(base) + ": the later one, column " +
                               std::to_string(i) + ", is called " + excerpt(name));
    }
    header.names.push_back(std::move(name));
  }
}

bool is_number(const std::string& cell, const MissingTokens& own) {
  return kind_of(cell, own) != Kind::text || read_written_number(cell, DecimalSign::point) ||
         read_written_number(cell, DecimalSign::comma);
}

// Whether a column of the model's table could hold the cell.
bool fits(const InputColumn& column, const std::string& cell, const MissingTokens& own) {
  if (kind_of(cell, own) == Kind::missing || MissingTokens(column.missing_tokens).contains(cell)) return true;
  if (column.time != TimePart::none) return read_time(cell, column.order).has_value();
  if (column.kind == InputColumn::Kind::categories) return find_category(column.categories, to_utf8(cell)) != kUnknown;
  return is_number(cell, own);
}

bool fits_target(const Recipe& known, const std::string& cell, const MissingTokens& own) {
  if (kind_of(cell, own) == Kind::missing) return true;
  return known.task == Task::classify ? find_category(known.classes, to_utf8(cell)) != kUnknown : is_number(cell, own);
}

// How many columns of the model's table, the targets' too where the row has them, a row could be a row of.
std::size_t count_fits(const Recipe& known, const Cells& row, const MissingTokens& own) {
  const bool without_targets = row.size() == known.inputs_width();
  std::size_t count = 0;
  for (const TargetColumn& target : known.targets) {
    const bool is_there = !without_targets && target.index < row.size();
    count += is_there && fits_target(known, row[target.index], own) ? 1 : 0;
  }
  for (std::size_t i = 0; i < known.columns.size(); ++i) {
    const InputColumn& column = known.columns[i];
    if (known.continues(i)) continue;
    const std::size_t place = without_targets ? known.index_without_targets(column.index) : column.index;
    if (column.kind == InputColumn::Kind::dropped || place >= row.size()) continue;
    count += fits(column, row[place], own) ? 1 : 0;
  }
  return count;
}

// Whether nearly all rows below the first look more like the model's table than it does.
bool rows_fit_better(RecordScanner scanner, const Recipe& known, std::size_t fits, const MissingTokens& own) {
  std::vector<std::string_view> fields;
  scanner.next(fields);
  std::size_t rows = 0, better = 0;
  for (; rows < kSniffedRows && scanner.next(fields); ++rows) {
    better += count_fits(known, Cells(fields.begin(), fields.end()), own) > fits ? 1 : 0;
  }
  return rows > 0 && 10 * better >= 9 * rows;
}

// The names the model has asked for stand in the first line, or they do not; a line that fits in no column is no row.
bool is_known_header(const RecordScanner& start, const Cells& first, std::size_t width, const MissingTokens& own,
                     const Recipe& known) {
  Header as_names{.present = true};
  make_names(without_hash(first), width, as_names);
  const std::set<std::string> cells(as_names.names.begin(), as_names.names.end());
  std::size_t columns = 0, named = 0;
  bool numbers = false;
  for (std::size_t i = 0; i < known.columns.size(); ++i) {
    const InputColumn& column = known.columns[i];
    if (column.kind == InputColumn::Kind::dropped || known.continues(i)) continue;
    ++columns;
    named += cells.contains(column.name) ? 1 : 0;
    numbers = numbers || (column.kind == InputColumn::Kind::number && column.time == TimePart::none);
  }
  if (known.has_header && named > 0 && 2 * named >= columns) return true;
  const std::size_t fitting = count_fits(known, first, own);
  const bool texts =
      std::none_of(first.begin(), first.end(), [&](const std::string& c) { return kind_of(c, own) == Kind::number; });
  return fitting == 0 && texts && ((known.has_header && numbers) || rows_fit_better(start, known, fitting, own));
}

bool decide(const RecordScanner& start, const Cells& first, std::size_t width, const Options& options,
            const MissingTokens& own, const Recipe* known) {
  if (options.header == "yes") return true;
  if (options.header == "no") return false;
  return known && !known->is_matrix ? is_known_header(start, first, width, own, *known)
                                    : sniff_header(start, without_hash(first), own);
}

}  // namespace

Header read_header(const RecordScanner& start, const std::vector<std::string>& raw_first, std::size_t width,
                   const Options& options, const Recipe* known) {
  const Cells stripped = without_hash(raw_first);
  Header header;
  std::vector<std::string> tokens = options.missing;
  if (known) tokens.insert(tokens.end(), known->missing.begin(), known->missing.end());
  const MissingTokens own(tokens);
  header.present = decide(start, raw_first, width, options, own, known);
  const Cells& first = header.present ? stripped : raw_first;
  if (header.present && options.header == "auto") {
    std::size_t numbers = 0;
    for (const std::string& cell : first) numbers += kind_of(cell, own) == Kind::number ? 1 : 0;
    if (2 * numbers >= first.size() && !known) {
      header.remarks.push_back("the first line is taken as names of columns, " + list_names(first, 4) +
                               "; --header no takes it as a row");
    }
  }
  make_names(first, width, header);
  return header;
}

}  // namespace halfstep::internal::data
