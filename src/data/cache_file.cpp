#include "data/cache_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "data/text.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr const char* kHint = "--cache FOLDER with another folder, or --cache none to do it in memory";

[[noreturn]] void fail_cache(const char* what, const std::string& folder, std::string why) {
  throw Error(Status::io, {what, folder, std::move(why), "no file was written", kHint});
}

// A file that never has a name, where the system knows such; else its name is taken away at once. -1: errno says why.
int open_nameless(const std::string& folder) {
#if defined(O_TMPFILE)
  const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  const bool unknown = errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT || errno == EINVAL;
  if (file >= 0 || !unknown) return file;
#endif
  std::string name = folder + "/.halfstep-cache-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named < 0 || ::unlink(name.c_str()) == 0) return named;
  const int error = errno;
  ::close(named);
  errno = error;
  return -1;
}

}  // namespace

CacheFile::CacheFile(std::string folder) : folder_(std::move(folder)) {
  if (folder_.empty()) folder_ = ".";
  file_ = open_nameless(folder_);
  if (file_ < 0) fail_cache("cannot make the cache", folder_, std::strerror(errno));
}

CacheFile::~CacheFile() { ::close(file_); }

std::uint64_t CacheFile::append(const void* bytes, std::size_t count) {
  const std::uint64_t place = size_;
  for (const char* at = static_cast<const char*>(bytes); count > 0;) {
    const ssize_t written = ::pwrite(file_, at, count, static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail_cache("cannot write the cache", folder_, std::strerror(written < 0 ? errno : ENOSPC));
    at += written;
    size_ += static_cast<std::uint64_t>(written);
    count -= static_cast<std::size_t>(written);
  }
  return place;
}

void CacheFile::read(std::uint64_t place, void* bytes, std::size_t count) const {
  for (char* at = static_cast<char*>(bytes); count > 0;) {
    const ssize_t got = ::pread(file_, at, count, static_cast<off_t>(place));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_cache("cannot read the cache", folder_, got < 0 ? std::strerror(errno) : "it is cut off");
    at += got;
    place += static_cast<std::uint64_t>(got);
    count -= static_cast<std::size_t>(got);
  }
}

void require_room(const std::string& folder, double bytes) {
  std::error_code code;
  const std::filesystem::space_info space = std::filesystem::space(folder.empty() ? "." : folder, code);
  if (code || static_cast<double>(space.available) >= bytes) return;
  const auto gigabytes = [](double n) { return short_number(n / 1e9, 3) + " GB"; };
  fail_cache("no room for the cache", folder,
             "it takes about " + gigabytes(bytes) + ", there are " + gigabytes(static_cast<double>(space.available)));
}

}  // namespace halfstep::internal::data
