// Reads data of any known format. A new format is a row in read_file.cpp.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "data/raw_data.hpp"
#include "data/read_how.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Recipe;

// One set: a file, "-" for standard input, a folder of IDX files or "builtin:NAME". Where there is a part for testing
// (folder, archive, builtin) this gives that part: it is what evaluate and predict read. With `known` a table is read
// as the one that a model was trained on.
RawData read_data(const std::string& path, const Options& options, const Recipe* known = nullptr,
                  const ReadHow& how = {});

// A set to train on, with its test part if it has one and options.test names no other.
DataPair read_train(const std::string& path, const Options& options, const ReadHow& how = {});

// options.test, read by what the training data was.
RawData read_test(const Options& options, const Recipe& known, const ReadHow& how = {});

Table take_table(const Table& from, std::span<const std::uint32_t> rows);
// The given rows, in the given order: fit a Preprocessor on training rows only.
RawData take_rows(const RawData& from, std::span<const std::uint32_t> rows);

}  // namespace halfstep::internal::data
