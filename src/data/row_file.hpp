// Rows of features on a disk, in place of memory.
#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "data/cache_file.hpp"

namespace halfstep::internal::data {

class RowFile {
 public:
  RowFile(std::string folder, std::size_t features) : file_(std::move(folder)), bytes_(features * sizeof(float)) {}

  void append(std::span<const float> rows) { file_.append(rows.data(), rows.size_bytes()); }
  // One row, or neighbouring ones, on any thread. Throws Error(io).
  void read(std::size_t row, float* features) const { read(row, 1, features); }
  void read(std::size_t row, std::size_t count, float* features) const {
    file_.read(std::uint64_t{row} * bytes_, features, count * bytes_);
  }

 private:
  CacheFile file_;
  std::size_t bytes_;  // of a row
};

}  // namespace halfstep::internal::data
