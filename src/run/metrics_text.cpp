#include "run/metrics_text.hpp"

#include <cerrno>
#include <cstdio>

#include "halfstep/error.hpp"
#include "io/posix.hpp"

namespace halfstep::internal {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

[[noreturn]] void fail_read(Status status, const std::string& path, std::string why) {
  throw Error(status,
              {.what = "cannot read the metrics file", .where = path, .why = std::move(why), .kept = {}, .hint = {}});
}

}  // namespace

std::string read_metrics_text(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) fail_read(Status::io, path, io::errno_text(errno));
  std::string text;
  int code = 0;
  try {
    char part[1 << 16];
    std::size_t count = 0;
    while ((count = std::fread(part, 1, sizeof part, file)) > 0 && text.size() <= kMostBytes) text.append(part, count);
    if (std::ferror(file) != 0) code = errno;
  } catch (...) {
    (void)std::fclose(file);
    throw;
  }
  (void)std::fclose(file);
  if (code != 0) fail_read(Status::io, path, io::errno_text(code));
  if (text.size() > kMostBytes) fail_read(Status::limit, path, "it is larger than 1 GiB");
  return text;
}

}  // namespace halfstep::internal
