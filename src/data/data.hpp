// Reads data of any known format. A new format is a row in data.cpp.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "data/table.hpp"
#include "halfstep/options.hpp"

namespace halfstep::data {

struct RawData {
  std::string source;  // path, "standard input" or "builtin:NAME"
  std::variant<Table, Matrix> content;

  const Table* table() const { return std::get_if<Table>(&content); }
  const Matrix* matrix() const { return std::get_if<Matrix>(&content); }
  std::size_t rows() const { return table() ? table()->rows : matrix()->rows; }
};

struct DataPair {
  RawData train;
  std::optional<RawData> test;
};

// One set: a file, "-" for standard input, a folder of IDX files or "builtin:NAME". Where there is a part for testing
// (folder, builtin) this gives that part: it is what evaluate and predict read.
RawData read_data(const std::string& path, const Options& options);

// A set to train on, with its test part if it has one; options.test names another.
DataPair read_train(const std::string& path, const Options& options);

// The given rows, in the given order: fit a Preprocessor on training rows only.
RawData take_rows(const RawData& from, std::span<const std::uint32_t> rows);

}  // namespace halfstep::data
