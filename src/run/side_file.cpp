#include "run/side_file.hpp"

#include <fcntl.h>

namespace halfstep::internal {
namespace {

// 0, or what the system says.
int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

SideFile::SideFile(Role role, const std::string& path, int flags)
    : role_(role), path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666)) {
  if (!file_.valid()) throw Error(Status::io, cannot_write(errno));
}

ErrorParts SideFile::cannot_write(int code) const {
  return {.what = "cannot write " + std::string(role_.what),
          .where = path_,
          .why = io::errno_text(code),
          .kept = {},
          .hint = "a path that can be written for " + std::string(role_.parameter)};
}

void SideFile::keep(std::int64_t bytes) {
  // What is not a regular file has neither length nor place.
  if (::ftruncate(file_.get(), bytes) != 0 || ::lseek(file_.get(), bytes, SEEK_SET) != bytes) return;
  bytes_ = bytes;
}

void SideFile::write(std::string_view record) {
  if (!file_.valid()) return;
  if (const int code = write_all(file_.get(), record)) return lose(code);
  ++records_;
  bytes_ += static_cast<std::int64_t>(record.size());
}

void SideFile::close() {
  if (file_.valid() && file_.close() != 0) lose(errno);
}

void SideFile::lose(int code) {
  if (file_.valid()) {
    // Half a record could not be read. What is not a regular file has no length; then the reader has got it anyway.
    while (::ftruncate(file_.get(), bytes_) != 0 && errno == EINTR) {
    }
    (void)file_.close();
  }
  ErrorParts parts = cannot_write(code);
  const std::string so_far = "its " + std::string(role_.records) + " so far, " + std::to_string(records_) + ", and ";
  parts.kept = (records_ == 0 ? "" : so_far) + "the run, which goes on without it";
  if (tell_) tell_(Error(Status::io, parts).what());
}

}  // namespace halfstep::internal
