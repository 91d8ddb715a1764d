// Records of separated text as rows of a table: on as many threads as there are, in pieces that are cut at line ends,
// with the result of one pass from the first to the last.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/function_ref.hpp"
#include "data/csv_scan.hpp"
#include "data/read_how.hpp"
#include "data/table_reader.hpp"

namespace halfstep::internal::data {

// What a record must be like.
struct RecordShape {
  std::size_t columns = 1;
  std::size_t least = 1;  // fields; others are then empty, and there may be more where those are empty
  bool has_header = false;
  char separator = ',';
};

// Gives the fields of all its records to `cells`; stops behind one that is too short or too long, and gives the number
// of its fields.
std::optional<std::size_t> read_records(RecordScanner& scanner, const RecordShape& shape, TableCells& cells);

// Throws Error(format) for a record of `found` fields; `others`: as wrong as that, behind it.
[[noreturn]] void fail_ragged(const RecordShape& shape, const std::string& name, std::uint32_t line, std::size_t found,
                              std::size_t others);

// How far a text has been read.
struct TextPlace {
  std::size_t at = 0;
  std::uint32_t lines = 0;   // before it
  std::size_t comments = 0;  // left out so far
};

class CsvPieces {
 public:
  // Both must outlive it.
  CsvPieces(const RecordShape& shape, const ReadHow& how) : shape_(shape), how_(how) {}

  enum class End {
    all,   // everything has been read
    open,  // the record at `place` goes on behind `end`, or there is something wrong with it
    wrong  // there is something wrong with a record behind `place`
  };
  // Reads the records of the scanner's text that begin between `place` and `end`. The text may be the first part of a
  // longer one, where `end` is behind its last line end. Calls `merged` each time that there are more rows.
  End read(const RecordScanner& scanner, std::size_t end, bool is_part, TextPlace& place, TableCells& cells,
           FunctionRef<void()> merged) const;

 private:
  struct Piece;

  int threads() const;
  void run(std::size_t tasks, FunctionRef<void(std::size_t, int)> body) const;
  std::vector<Piece> cut(const RecordScanner& scanner, std::size_t begin, std::size_t end, std::size_t count,
                         const TableCells& cells) const;
  void read_piece(Piece& piece) const;
  void merge(std::vector<Piece>& pieces, TableCells& cells) const;

  const RecordShape& shape_;
  const ReadHow& how_;
};

}  // namespace halfstep::internal::data
