#include "data/large_file.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "base/memory_limit.hpp"
#include "data/cache_file.hpp"
#include "data/csv_stream.hpp"
#include "data/sniff_dialect.hpp"
#include "data/text.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kHead = std::size_t{1} << 22, kMostHead = std::size_t{1} << 28;
constexpr std::ptrdiff_t kHeadLines = 4000;  // some may be blank, comments, or within quotes
constexpr double kNumber = sizeof(double);

double memory_to_use() { return 0.8 * static_cast<double>(memory_limit().bytes); }

std::ptrdiff_t count_lines(std::string_view text) {
  return std::max(std::count(text.begin(), text.end(), '\n'), std::count(text.begin(), text.end(), '\r'));
}

// Cells that the whole file has, if the rest of it is like its head.
double likely_cells(const LargeFile& file, const Options& options) {
  const std::string_view head = file.head.text();
  const auto lines = static_cast<double>(std::max<std::ptrdiff_t>(count_lines(head), 1));
  const auto width = static_cast<double>(sniff_dialect(head, options.separator).width);
  return lines * width * static_cast<double>(file.bytes) / static_cast<double>(std::max<std::size_t>(head.size(), 1));
}

// The most at a time: text and its numbers, or those of all rows and of the rows that are trained on.
double likely_memory(const LargeFile& file, double cells) {
  return std::max(static_cast<double>(file.bytes) + kNumber * cells, 2 * kNumber * cells);
}

Source read_head(const std::string& path, std::uint64_t size) {
  const InputFile file(path);
  Source head{path, {}};
  std::size_t wanted = kHead;
  for (;;) {
    head.bytes.resize(wanted);
    head.bytes.resize(file.read(0, head.bytes.data(), wanted));
    const bool enough = count_lines(head.text()) >= kHeadLines;
    if (head.bytes.size() >= size || head.bytes.size() < wanted || enough || wanted >= kMostHead) break;
    wanted *= 2;
  }
  if (head.bytes.size() < size) {
    const std::size_t end = head.text().find_last_of("\r\n");
    if (end != std::string_view::npos) head.bytes.resize(end + 1);
  }
  return head;
}

}  // namespace

std::optional<RawData> refuse_cache(const Cache& cache, const std::string& path) {
  if (cache.when != Cache::When::always) return {};
  fail(Status::unsupported, "this data cannot go by way of a cache", path,
       "that is for tables of plain text in a file: CSV and the like, neither compressed nor UTF-16",
       "--cache none, or unpack the file first");
}

std::optional<LargeFile> find_large(const std::string& path, const Cache& cache) {
  std::error_code code;
  const bool is_file = path != "-" && std::filesystem::is_regular_file(path, code);
  const std::uint64_t size = is_file ? std::filesystem::file_size(path, code) : 0;
  if (!is_file || code) {
    refuse_cache(cache, path);
    return {};
  }
  constexpr double kMostCells = 0.5;  // a digit and a separator
  const double bytes = static_cast<double>(size);
  const bool may_be = std::max(bytes * (1 + kNumber * kMostCells), 2 * kNumber * kMostCells * bytes) > memory_to_use();
  if (cache.when != Cache::When::always && !may_be && size <= kMaxInputBytes) return {};
  return LargeFile{read_head(path, size), size};
}

bool goes_by_disk(const LargeFile& file, const Options& options, const Cache& cache,
                  std::vector<std::string>& remarks) {
  const double cells = likely_cells(file, options), memory = likely_memory(file, cells);
  const bool asked = cache.when == Cache::When::always;
  if (!asked && memory <= memory_to_use() && file.bytes <= kMaxInputBytes) return false;
  constexpr double kOnDisk = sizeof(double) + sizeof(float);  // of a cell: as it is read, and as it is trained on
  const double room = kOnDisk * cells;
  require_room(cache.folder, room);
  if (asked) return true;
  const MemoryLimit limit = memory_limit();
  const auto gigabytes = [](double bytes) { return short_number(bytes / 1e9, 3) + " GB"; };
  remarks.push_back("in memory the table would take about " + gigabytes(memory) + " of " +
                    gigabytes(static_cast<double>(limit.bytes)) + " (" + limit.source + "): it goes by way of about " +
                    gigabytes(room) + " on the disk, in the folder " + cache.folder +
                    "; --cache names another one, --cache none keeps all in memory");
  return true;
}

}  // namespace halfstep::internal::data
