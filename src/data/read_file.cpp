#include "data/read_file.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "data/csv.hpp"
#include "data/csv_stream.hpp"
#include "data/idx.hpp"
#include "data/labels.hpp"
#include "data/large_file.hpp"
#include "data/libsvm.hpp"
#include "data/npy.hpp"
#include "data/npz.hpp"
#include "data/recipe.hpp"
#include "data/text.hpp"
#include "data/utf16.hpp"

namespace halfstep::internal::data {
namespace {

struct Input {
  Source source;
  const std::string& path;
  const Options& options;
  const Recipe* known;
  Parts parts;
  const ReadHow& how;
};

DataPair read_csv(Input& in) {
  return {{in.source.name, parse_csv(in.source, in.options, in.known, in.how)}, std::nullopt};
}

DataPair read_libsvm(Input& in) {
  return {{in.source.name, parse_libsvm(in.source, in.options, in.known)}, std::nullopt};
}

// With the labels of --labels, or of the file found by name.
DataPair read_idx(Input& in) {
  Matrix images = parse_idx(in.source);
  const bool piped = in.path == "-";
  const std::string labels = in.options.labels.empty() && !piped ? find_idx_labels(in.path) : in.options.labels;
  if (!labels.empty()) {
    attach_labels(images, in.source.name, read_source(labels));
  } else if (!piped) {
    images.labels_source = idx_labels_name(std::filesystem::path(in.path).filename().string());
  }
  return {{in.source.name, std::move(images)}, std::nullopt};
}

DataPair read_npy(Input& in) {
  if (in.options.labels.empty()) return {parse_npy(in.source, nullptr, in.options, in.known), std::nullopt};
  const Source labels = read_source(in.options.labels);
  return {read_array(in.source, &labels, in.options, in.known), std::nullopt};
}

DataPair read_npz(Input& in) { return parse_npz(in.source, in.options, in.known, in.parts); }

struct Format {
  std::string_view name;     // of --format
  std::string_view title;    // for people
  std::string_view endings;  // of the file's name, before ".gz"
  DataPair (*read)(Input& input);
};

constexpr Format kCsv = {"csv", "table", ".csv .tsv .txt .data .test", read_csv};
constexpr Format kLibsvm = {"libsvm", "LIBSVM", ".libsvm .svm", read_libsvm};
constexpr Format kIdx = {"idx", "IDX", "-ubyte .idx .idx3 .idx3-ubyte .idx1-ubyte", read_idx};
constexpr Format kNpy = {"npy", "NPY", ".npy", read_npy};
constexpr Format kNpz = {"npz", "NPZ", ".npz", read_npz};
constexpr std::array kFormats = {&kCsv, &kLibsvm, &kIdx, &kNpy, &kNpz};

bool has_ending(std::string_view name, std::string_view endings) {
  while (true) {
    const std::size_t end = std::min(endings.find(' '), endings.size());
    if (name.ends_with(endings.substr(0, end))) return true;
    if (end == endings.size()) return false;
    endings.remove_prefix(end + 1);
  }
}

const Format* format_of_option(const std::string& given) {
  for (const Format* format : kFormats) {
    if (format->name == given) return format;
  }
  return nullptr;
}

const Format* format_of_name(const std::string& path) {
  std::string name = lowercase(std::filesystem::path(path).filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const Format* format : kFormats) {
    if (has_ending(name, format->endings)) return format;
  }
  return nullptr;
}

// By the first bytes of what is no text: IDX starts with two zeros.
const Format* format_of_bytes(std::string_view bytes) {
  if (is_npy(bytes)) return &kNpy;
  if (is_npz(bytes)) return &kNpz;
  if (bytes.starts_with(std::string_view("\0\0", 2))) return &kIdx;
  return nullptr;
}

[[noreturn]] void fail_unknown_format(const std::string& name) {
  fail(Status::unsupported, "unknown data format", name,
       "the ending of the name is not one of: " + known_endings() + ", each also with .gz behind it",
       "save it as a table, such as CSV; --format csv, or another, if it is one by another name");
}

// LIBSVM among what may be a table by its name. A model reads what its training data was, and who says how a table is
// written has one.
bool is_libsvm(const Input& in) {
  if (in.known != nullptr) return in.known->is_sparse;
  if (in.options.separator != "auto" || in.options.header != "auto") return false;
  const LooksLibsvm looks = looks_like_libsvm(in.source.text());
  if (looks != LooksLibsvm::perhaps) return looks == LooksLibsvm::yes;
  fail(Status::format, "the format is not clear", in.source.name,
       "its lines are LIBSVM (label index:value ...), or columns with times of day", "--format libsvm or --format csv");
}

bool may_be_text(const Input& in) {
  const Format* const format = in.options.format != "auto" ? format_of_option(in.options.format)
                               : in.path == "-"            ? nullptr
                                                           : format_of_name(in.path);
  return format == nullptr || format == &kCsv || format == &kLibsvm;
}

const Format& find_format(const Input& in, std::vector<std::string>& remarks) {
  if (in.options.format != "auto") {
    if (const Format* given = format_of_option(in.options.format)) return *given;
    fail(Status::invalid_argument, "no such format", "--format", excerpt(in.options.format), "auto, csv, libsvm, ...");
  }
  const bool piped = in.path == "-";
  const Format* const named = piped ? nullptr : format_of_name(in.path);
  if (named != nullptr && named != &kCsv) return *named;
  const Format* const shown = named == nullptr ? format_of_bytes(in.source.text()) : nullptr;
  const Format* const found = shown == nullptr && is_libsvm(in) ? &kLibsvm : shown;
  if (found == nullptr && named == nullptr && !piped) fail_unknown_format(in.source.name);
  if (found == nullptr) return kCsv;
  // Bytes that no text begins with leave nothing to decide, and a model knows.
  const bool doubtful = (found == &kLibsvm && in.known == nullptr) || (shown != nullptr && !piped);
  if (doubtful) {
    remarks.push_back("read as " + std::string(found->title) +
                      (found == &kLibsvm ? ", which its first lines are; --format csv takes it as a table"
                                         : ", which its first bytes are; --format decides otherwise"));
  }
  return *found;
}

}  // namespace

std::string known_endings() {
  std::string endings;
  for (const Format* format : kFormats) endings += (endings.empty() ? "" : " ") + std::string(format->endings);
  return endings;
}

DataPair read_bytes(Source source, const std::string& path, const Options& options, const Recipe* known, Parts parts,
                    const ReadHow& how) {
  Input input{std::move(source), path, options, known, parts, how};
  std::vector<std::string> remarks;
  if (is_utf16(input.source.text()) && may_be_text(input)) {
    input.source = utf8_of_utf16(input.source);
    remarks.push_back("the text is UTF-16, by its byte order mark: read as such");
  }
  DataPair pair = find_format(input, remarks).read(input);
  pair.train.remarks.insert(pair.train.remarks.begin(), remarks.begin(), remarks.end());
  return pair;
}

namespace {

// What of `path` is a table of plain text goes by way of the disk, if it is to; else nothing.
std::optional<RawData> read_large(const std::string& path, const Options& options, const ReadHow& how) {
  if (how.cache.when == Cache::When::never) return {};
  const std::optional<LargeFile> large = find_large(path, how.cache);
  if (!large) return {};
  Input input{large->head, path, options, nullptr, Parts::train, how};
  std::vector<std::string> remarks;
  const bool is_table = !large->head.text().starts_with("\x1f\x8b") && !is_utf16(large->head.text()) &&
                        &find_format(input, remarks) == &kCsv;
  if (!is_table) return refuse_cache(how.cache, path);
  if (!goes_by_disk(*large, options, how.cache, remarks)) return {};
  const InputFile file(path);
  return RawData{path, stream_csv(large->head, file, options, how), remarks};
}

}  // namespace

DataPair read_file(const std::string& path, const Options& options, const Recipe* known, Parts parts,
                   const ReadHow& how) {
  using Time = std::chrono::steady_clock;
  const Time::time_point start = Time::now();
  ReadSpeed speed;
  DataPair pair;
  if (std::optional<RawData> streamed = known == nullptr ? read_large(path, options, how) : std::nullopt) {
    pair.train = *std::move(streamed);
    speed.bytes = std::filesystem::file_size(path);
  } else {
    Source source = read_source(path);
    speed.bytes = source.bytes.size();
    pair = read_bytes(std::move(source), path, options, known, parts, how);
  }
  speed.seconds = std::chrono::duration<double>(Time::now() - start).count();
  if (pair.train.table() != nullptr) speed.threads = pair.train.table()->threads;
  pair.train.speed = speed;
  return pair;
}

}  // namespace halfstep::internal::data
