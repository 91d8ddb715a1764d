// A file that nobody else sees: it has no name, and its room on the disk is free again when this object or the process
// goes, whatever ends it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace halfstep::internal::data {

class CacheFile {
 public:
  // In this folder. Throws Error(io).
  explicit CacheFile(std::string folder);
  ~CacheFile();
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;

  // Behind what is there; gives the place. Throws Error(io) where the disk is full.
  std::uint64_t append(const void* bytes, std::size_t count);
  // On any thread. Throws Error(io).
  void read(std::uint64_t place, void* bytes, std::size_t count) const;

  std::uint64_t size() const { return size_; }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  int file_ = -1;
  std::uint64_t size_ = 0;
};

// Throws Error(io) unless the folder has so much room.
void require_room(const std::string& folder, double bytes);

}  // namespace halfstep::internal::data
