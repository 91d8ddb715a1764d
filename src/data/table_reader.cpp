#include "data/table_reader.hpp"

#include <algorithm>
#include <span>

#include "data/column_builder.hpp"
#include "data/column_store.hpp"
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
    }
    for (std::size_t i = 0; i < wanted_.size(); ++i) cells_.columns.emplace_back(wanted_[i].keep_texts, missing_[i]);
    cells_.selected.assign(wanted_.size(), true);
    rows_.read(cells_);
    table_.lines = std::move(cells_.lines);
    table_.rows = table_.lines.size();
    table_.threads = cells_.threads;
    table_.has_header = head_.in_file;
    table_.separator = head_.separator;
    decide_decimal();
    finish_columns();
    load_about_rows();
    find_unused_missing();
    return std::move(table_);
  }

 private:
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
      for (const ColumnBuilder& builder : cells_.columns) {
        comma = comma || builder.decides_for(DecimalSign::comma);
        point = point || builder.decides_for(DecimalSign::point);
      }
      for (std::size_t i = 0; i < wanted_.size(); ++i) {
        const bool counts = wanted_[i].keep_texts == KeepTexts::no;  // others may have forgotten their texts, or not
        point = point || (!comma && counts && cells_.columns[i].evidence().has_point);
      }
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
    return decide_kind(cells_.columns[i].evidence(), wanted_[i].rules, column_key(head_.names[i], i));
  }

  // What is no column of numbers is told of with all its texts.
  bool needs_forgotten_texts(std::size_t i, const ColumnKind& kind) const {
    return kind.problem > 0 && wanted_[i].keep_texts == KeepTexts::few && !cells_.columns[i].evidence().kept;
  }

  void finish_columns() {
    std::vector<ColumnKind> kinds;
    TableCells again;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      kinds.push_back(kind_of(i));
      again.columns.emplace_back(KeepTexts::all, missing_[i]);
      again.selected.push_back(kinds[i].needs_texts || needs_forgotten_texts(i, kinds[i]));
      if (again.selected[i]) cells_.columns[i] = again.columns[i];
    }
    if (std::find(again.selected.begin(), again.selected.end(), true) != again.selected.end()) {
      rows_.read(again);
      if (again.lines != table_.lines) {
        fail(Status::io, "cannot read the table", file_, "it has changed while it was read", "another try");
      }
    }
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (again.selected[i]) {
        cells_.columns[i] = std::move(again.columns[i]);
        kinds[i] = kind_of(i);
      }
      const bool kept = cells_.columns[i].evidence().kept;
      table_.columns.push_back(cells_.columns[i].finish(head_.names[i], kinds[i], file_, i));
      if (cells_.store && cells_.store->has(i)) {
        cells_.store->keep_meaning(i, kinds[i], kept);
        table_.columns[i].stored = true;
      }
    }
  }

  // The target, and what says something about rows, are wanted as a whole.
  void load_about_rows() {
    const auto load = [&](std::size_t i) {
      if (i >= table_.columns.size() || !table_.columns[i].stored) return;
      cells_.store->load(i, table_.columns[i]);
      table_.columns[i].stored = false;
    };
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i].rules.target) load(i);
    }
    for (const std::string& key : {options_.group, options_.weights}) {
      if (!key.empty()) load(find_column(head_.names, key));
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
  TableCells cells_;
  Table table_;
};

}  // namespace

void TableCells::add_row(const std::vector<std::string_view>& cells, std::uint32_t line) {
  lines.push_back(line);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (selected[i]) columns[i].add(cells[i], line);
  }
}

void SingleRows::read(TableCells& cells) {
  std::vector<std::string_view> row;
  rewind();
  while (next(row)) cells.add_row(row, line());
}

Table read_table(CellRows& rows, const TableHead& head, const Options& options, const Recipe* known,
                 const std::string& file) {
  return TableReader(rows, head, options, known, file).read();
}

}  // namespace halfstep::internal::data
