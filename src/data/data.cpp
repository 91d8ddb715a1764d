#include "data/data.hpp"

#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "data/builtin.hpp"
#include "data/large_file.hpp"
#include "data/read_file.hpp"
#include "data/take.hpp"
#include "data/text.hpp"
#include "halfstep/files.hpp"

namespace halfstep::internal::data {
namespace {

std::string find_images(const std::filesystem::path& folder, std::initializer_list<std::string_view> prefixes) {
  for (const std::string_view prefix : prefixes) {
    for (const std::string_view rest : {"-images-idx3-ubyte", "-images.idx3-ubyte"}) {
      for (const std::string_view packed : {"", ".gz"}) {
        const auto path = folder / (std::string(prefix) + std::string(rest) + std::string(packed));
        std::error_code code;
        if (std::filesystem::is_regular_file(path, code)) return path.string();
      }
    }
  }
  return {};
}

struct FolderPaths {
  std::string train;
  std::string test;  // empty: none
};

FolderPaths look_into(const std::string& folder) {
  FolderPaths paths{find_images(folder, {"train"}), find_images(folder, {"t10k", "test"})};
  if (paths.train.empty() && paths.test.empty()) {
    fail(Status::format, "no data in the folder", folder, "train-images-idx3-ubyte and the like are not there",
         "give the path of a file");
  }
  return paths;
}

bool is_folder(const std::string& path) {
  std::error_code code;
  return path != "-" && std::filesystem::is_directory(path, code);
}

Options without_labels(Options options) {
  options.labels.clear();
  return options;
}

DataPair read_pair(const std::string& path, const Options& options, const ReadHow& how) {
  if (is_builtin(path) || is_folder(path)) refuse_cache(how.cache, path);
  if (is_builtin(path)) {
    BuiltinData made = make_builtin(path, kBuiltinSeed);
    return {RawData{path, std::move(made.train)}, RawData{path + " (test part)", std::move(made.test)}};
  }
  const Parts parts = options.test.empty() ? Parts::both : Parts::train;
  if (!is_folder(path)) return read_file(path, options, nullptr, parts, how);
  const FolderPaths paths = look_into(path);
  if (paths.train.empty()) {
    fail(Status::format, "no training data in the folder", path, "train-images-idx3-ubyte is not there",
         "give the path of a file");
  }
  DataPair pair = read_file(paths.train, options, nullptr, parts, how);
  if (!paths.test.empty() && options.test.empty()) {
    pair.test = read_file(paths.test, without_labels(options), nullptr, Parts::test, how).train;
  }
  return pair;
}

}  // namespace

RawData read_data(const std::string& path, const Options& options, const Recipe* known, const ReadHow& how) {
  if (is_builtin(path)) return std::move(*read_pair(path, options, how).test);
  if (!is_folder(path)) return read_file(path, options, known, Parts::test, how).train;
  const FolderPaths paths = look_into(path);
  return read_file(paths.test.empty() ? paths.train : paths.test, options, known, Parts::test, how).train;
}

DataPair read_train(const std::string& path, const Options& options, const ReadHow& how) {
  DataPair pair = read_pair(path, options, how);
  if (!options.test.empty()) pair.test.reset();
  return pair;
}

// --labels belongs to the training images; those of the test images are found by name. The name of an array in an
// archive is that of the test archive too.
RawData read_test(const Options& options, const Recipe& known, const ReadHow& how) {
  std::error_code code;
  const bool names_array = !options.labels.empty() && !std::filesystem::exists(options.labels, code);
  return read_data(options.test, names_array ? options : without_labels(options), &known, how);
}

Table take_table(const Table& from, std::span<const std::uint32_t> rows) {
  Table to;
  to.rows = rows.size();
  to.has_header = from.has_header;
  to.lines = take(from.lines, 1, rows);
  to.separator = from.separator;
  to.decimal_comma = from.decimal_comma;
  to.labels = from.labels;
  to.remarks = from.remarks;
  to.unused_missing = from.unused_missing;
  to.sparse = take_rows(from.sparse, rows);
  to.sparse_width = from.sparse_width;
  to.zero_based = from.zero_based;
  for (const Column& column : from.columns) {
    to.columns.push_back({column.name, column.is_text, take(column.numbers, 1, rows), take(column.codes, 1, rows),
                          column.values, column.missing_tokens, column.unit, column.remarks, column.problem,
                          column.stored});
  }
  to.store = from.store;
  if (to.store) to.stored_rows.assign(rows.begin(), rows.end());
  for (std::uint32_t& row : to.stored_rows) row = from.stored_rows.empty() ? row : from.stored_rows[row];
  return to;
}

RawData take_rows(const RawData& from, std::span<const std::uint32_t> rows) {
  if (const Table* table = from.table()) return {from.source, take_table(*table, rows), from.remarks};
  const Matrix& m = *from.matrix();
  return {from.source,
          Matrix{rows.size(), m.cols, take(m.bytes, m.cols, rows), take(m.floats, m.cols, rows),
                 take(m.labels, 1, rows), m.labels_source},
          from.remarks};
}

}  // namespace halfstep::internal::data

namespace halfstep {
std::string data_endings() { return internal::data::known_endings(); }
}  // namespace halfstep
