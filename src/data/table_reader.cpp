#include "data/table_reader.hpp"

#include <algorithm>
#include <span>

#include "data/column_builder.hpp"
#include "data/recipe.hpp"
#include "data/text.hpp"
#include "data/wanted_columns.hpp"

namespace halfstep::internal::data {
namespace {

class TableReader {
 public:
  TableReader(CellRows& rows, const TableHead& head, const Options& options, const Recipe* known,
              const std::string& file)
      : rows_(rows), head_(head), options_(options), known_(known), file_(file) {}

  Table read() {
    wanted_ =
        known_ ? wanted_by_knowledge(head_.names, head_.in_file, *known_) : wanted_by_options(head_.names, options_);
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
    table_.has_header = head_.in_file;
    table_.separator = head_.separator;
    decide_decimal();
    finish_columns();
    find_unused_missing();
    return std::move(table_);
  }

 private:
  // Gives the cells of the selected columns to their builders, and lines to `lines` unless null.
  void read_cells(const std::vector<bool>& selected, std::vector<std::uint32_t>* lines) {
    std::vector<std::string_view> cells;
    rows_.rewind();
    while (rows_.next(cells)) {
      const std::uint32_t line = rows_.line();
      if (lines) lines->push_back(line);
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (selected[i]) builders_[i].add(cells[i], line, missing_[i]);
      }
    }
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
      if (comma ? !point : !point && head_.separator == ';') sign = DecimalSign::comma;
    }
    table_.decimal_comma = sign == DecimalSign::comma && is_known;
    for (Wanted& wanted : wanted_) {
      wanted.rules.decimal = sign;
      wanted.rules.decimal_is_known = is_known;
    }
  }

  ColumnKind kind_of(std::size_t i) const {
    return decide_kind(builders_[i].evidence(), wanted_[i].rules, column_key(head_.names[i], i));
  }

  void finish_columns() {
    std::vector<ColumnKind> kinds;
    std::vector<bool> again(builders_.size());
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      kinds.push_back(kind_of(i));
      again[i] = kinds[i].needs_texts;
      if (again[i]) builders_[i] = ColumnBuilder(true);
    }
    if (std::find(again.begin(), again.end(), true) != again.end()) read_cells(again, nullptr);
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      if (again[i]) kinds[i] = kind_of(i);
      table_.columns.push_back(builders_[i].finish(head_.names[i], kinds[i], file_, i));
    }
  }

  void find_unused_missing() {
    for (const std::string& token : options_.missing) {
      const MissingTokens one(std::span(&token, 1));
      const auto has = [&](const TokenCount& seen) { return one.contains(seen.token); };
      const bool used = std::any_of(table_.columns.begin(), table_.columns.end(), [&](const Column& column) {
        return std::any_of(column.missing_tokens.begin(), column.missing_tokens.end(), has);
      });
      if (!used) table_.unused_missing.push_back(token);
    }
  }

  CellRows& rows_;
  const TableHead& head_;
  const Options& options_;
  const Recipe* known_;
  const std::string& file_;
  std::vector<MissingTokens> missing_;  // of each column
  std::vector<Wanted> wanted_;
  std::vector<ColumnBuilder> builders_;
  Table table_;
};

}  // namespace

Table read_table(CellRows& rows, const TableHead& head, const Options& options, const Recipe* known,
                 const std::string& file) {
  return TableReader(rows, head, options, known, file).read();
}

}  // namespace halfstep::internal::data
