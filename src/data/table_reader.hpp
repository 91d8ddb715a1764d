// A table from rows of cells, whatever file they stand in.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/column_builder.hpp"
#include "data/table.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Recipe;

// Where the cells of a file go.
struct TableCells {
  std::vector<ColumnBuilder> columns;
  std::vector<bool> selected;        // columns whose cells are wanted
  std::vector<std::uint32_t> lines;  // of each row
  int threads = 1;                   // that worked on it
  ColumnStore* store = nullptr;      // has what columns do not have any more

  void add_row(const std::vector<std::string_view>& cells, std::uint32_t line);
};

// The rows of a file, read from the first on as often as wanted.
class CellRows {
 public:
  virtual ~CellRows() = default;
  virtual void read(TableCells& cells) = 0;
};

// Of a file that gives one row after another.
class SingleRows : public CellRows {
 public:
  void read(TableCells& cells) final;

 private:
  virtual void rewind() = 0;
  // As many cells as the table has columns; false behind the last row. They are good until the next call.
  virtual bool next(std::vector<std::string_view>& cells) = 0;
  // Of the row that `next` gave last, for messages; from 1.
  virtual std::uint32_t line() const = 0;
};

struct TableHead {
  std::vector<std::string> names;  // of the columns
  bool in_file = false;            // the names; else they are c0, c1, ...
  char separator = ',';
};

// What each column holds is decided when all of it has been seen: by the options of a run that is to be fitted, or with
// `known` by what that model's table was. `file` is for messages. The table may have no rows.
Table read_table(CellRows& rows, const TableHead& head, const Options& options, const Recipe* known,
                 const std::string& file);

}  // namespace halfstep::internal::data
