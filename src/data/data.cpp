#include "data/data.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "data/builtin.hpp"
#include "data/csv.hpp"
#include "data/idx.hpp"
#include "data/npy.hpp"
#include "data/source.hpp"
#include "data/take.hpp"
#include "data/text.hpp"
#include "halfstep/files.hpp"

namespace halfstep::internal::data {
namespace {

RawData read_csv_file(const std::string& path, const Options& options, const Recipe* known) {
  const Source source = read_source(path);
  return {source.name, parse_csv(source, options, known)};
}

// `images` with the labels of a file.
void attach_labels(Matrix& images, const std::string& source, const Source& labels) {
  images.labels_source = labels.name;
  images.labels = is_npy(labels.text()) ? parse_npy_labels(labels) : parse_idx_labels(labels);
  if (images.labels.size() == images.rows) return;
  fail(Status::format, "images and labels do not belong together", source + " and " + labels.name,
       std::to_string(images.rows) + " images but " + std::to_string(images.labels.size()) + " labels",
       "name the file of their labels with --labels");
}

// With the labels of --labels, or of the file found by name.
RawData read_idx_file(const std::string& path, const Options& options, const Recipe*) {
  Matrix images = parse_idx(read_source(path));
  const std::string labels = options.labels.empty() ? find_idx_labels(path) : options.labels;
  if (labels.empty()) {
    images.labels_source = idx_labels_name(std::filesystem::path(path).filename().string());
  } else {
    attach_labels(images, path, read_source(labels));
  }
  return {path, std::move(images)};
}

// Labels of a table are its last column, those of rows of pixels are beside them.
RawData read_npy(const Source& source, const Options& options, const Recipe* known) {
  if (options.labels.empty()) return parse_npy(source, nullptr, options, known);
  const Source labels = read_source(options.labels);
  RawData raw = parse_npy(source, &labels, options, known);
  if (auto* images = std::get_if<Matrix>(&raw.content)) attach_labels(*images, source.name, labels);
  return raw;
}

RawData read_npy_file(const std::string& path, const Options& options, const Recipe* known) {
  return read_npy(read_source(path), options, known);
}

// By the first bytes: IDX starts with two zeros, which text never does.
RawData read_standard_input(const Options& options, const Recipe* known) {
  const Source source = read_source("-");
  if (is_npy(source.text())) return read_npy(source, options, known);
  if (!source.text().starts_with(std::string_view("\0\0", 2))) return {source.name, parse_csv(source, options, known)};
  Matrix images = parse_idx(source);
  if (!options.labels.empty()) attach_labels(images, source.name, read_source(options.labels));
  return {source.name, std::move(images)};
}

struct Format {
  std::string_view name;
  std::string_view endings;  // of the file's name, before ".gz"
  RawData (*read)(const std::string& path, const Options& options, const Recipe* known);
};

constexpr std::array kFormats = {
    Format{"table", ".csv .tsv .txt .data .test", read_csv_file},
    Format{"IDX", "-ubyte .idx .idx3 .idx3-ubyte .idx1-ubyte", read_idx_file},
    Format{"NPY", ".npy", read_npy_file},
};

bool has_ending(std::string_view name, std::string_view endings) {
  while (true) {
    const std::size_t end = std::min(endings.find(' '), endings.size());
    if (name.ends_with(endings.substr(0, end))) return true;
    if (end == endings.size()) return false;
    endings.remove_prefix(end + 1);
  }
}

[[noreturn]] void fail_unknown_format(const std::string& path) {
  const bool archive = lowercase(path).ends_with(".npz");
  fail(Status::unsupported, "unknown data format", path,
       "the ending of the name is not one of: " + known_endings() + ", each also with .gz behind it",
       archive ? "save each array by itself: numpy.save(\"data.npy\", array)"
               : "save it as a table, such as CSV; rename it only if that is what it is");
}

RawData read_file(const std::string& path, const Options& options, const Recipe* known) {
  if (path == "-") return read_standard_input(options, known);
  std::string name = lowercase(std::filesystem::path(path).filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const Format& format : kFormats) {
    if (has_ending(name, format.endings)) return format.read(path, options, known);
  }
  std::error_code code;
  if (!std::filesystem::exists(path, code)) read_source(path);  // throws what the operating system says
  fail_unknown_format(path);
}

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

DataPair read_pair(const std::string& path, const Options& options) {
  if (is_builtin(path)) {
    BuiltinData made = make_builtin(path, kBuiltinSeed);
    return {RawData{path, std::move(made.train)}, RawData{path + " (test part)", std::move(made.test)}};
  }
  if (!is_folder(path)) return {read_file(path, options, nullptr), std::nullopt};
  const FolderPaths paths = look_into(path);
  if (paths.train.empty()) {
    fail(Status::format, "no training data in the folder", path, "train-images-idx3-ubyte is not there",
         "give the path of a file");
  }
  DataPair pair{read_file(paths.train, options, nullptr), std::nullopt};
  if (!paths.test.empty() && options.test.empty()) pair.test = read_file(paths.test, without_labels(options), nullptr);
  return pair;
}

}  // namespace

std::string known_endings() {
  std::string endings;
  for (const Format& format : kFormats) endings += (endings.empty() ? "" : " ") + std::string(format.endings);
  return endings;
}

RawData read_data(const std::string& path, const Options& options, const Recipe* known) {
  if (is_builtin(path)) return std::move(*read_pair(path, options).test);
  if (!is_folder(path)) return read_file(path, options, known);
  const FolderPaths paths = look_into(path);
  return read_file(paths.test.empty() ? paths.train : paths.test, options, known);
}

DataPair read_train(const std::string& path, const Options& options) {
  DataPair pair = read_pair(path, options);
  if (!options.test.empty()) pair.test.reset();
  return pair;
}

// --labels belongs to the training images; those of the test images are found by name.
RawData read_test(const Options& options, const Recipe& known) {
  return read_data(options.test, without_labels(options), &known);
}

namespace {

Table take_table(const Table& from, std::span<const std::uint32_t> rows) {
  Table to{rows.size(),        {},           from.has_header,    take(from.lines, 1, rows), from.separator,
           from.decimal_comma, from.remarks, from.unused_missing};
  for (const Column& column : from.columns) {
    to.columns.push_back({column.name, column.is_text, take(column.numbers, 1, rows), take(column.codes, 1, rows),
                          column.values, column.missing_tokens, column.unit, column.remarks, column.problem});
  }
  return to;
}

}  // namespace

RawData take_rows(const RawData& from, std::span<const std::uint32_t> rows) {
  if (const Table* table = from.table()) return {from.source, take_table(*table, rows)};
  const Matrix& m = *from.matrix();
  return {from.source, Matrix{rows.size(), m.cols, take(m.bytes, m.cols, rows), take(m.floats, m.cols, rows),
                              take(m.labels, 1, rows), m.labels_source}};
}

}  // namespace halfstep::internal::data

namespace halfstep {
std::string data_endings() { return internal::data::known_endings(); }
}  // namespace halfstep
