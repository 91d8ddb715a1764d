// Files that are too large for memory: which they are, and what they begin with.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/raw_data.hpp"
#include "data/read_how.hpp"
#include "data/source.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct LargeFile {
  Source head;  // of its bytes, whole lines: as many as a table is known by
  std::uint64_t bytes = 0;
};

// A regular file that may be too large by its size alone; with Cache::When::always any. Throws Error(io), and
// Error(unsupported) for what is no file where it must be one.
std::optional<LargeFile> find_large(const std::string& path, const Cache& cache);

// Nothing; with Cache::When::always throws Error(unsupported), for what is no table of plain text.
std::optional<RawData> refuse_cache(const Cache& cache, const std::string& path);

// Whether it is asked for, or reading the file would take more memory than this process has, which is then told in
// `remarks`. Throws Error(io) where the disk has no room for it.
bool goes_by_disk(const LargeFile& file, const Options& options, const Cache& cache, std::vector<std::string>& remarks);

}  // namespace halfstep::internal::data
