#include "run/metrics_log.hpp"

#include <string_view>

#include <fcntl.h>

#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

ErrorParts cannot_write(const std::string& path, int code) {
  return {.what = "cannot write the metrics file",
          .where = path,
          .why = io::errno_text(code),
          .kept = {},
          .hint = "a path that can be written for --metrics"};
}

// 0, or what the system says.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return written < 0 ? errno : ENOSPC;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path) : path_(path) {
  if (path.empty()) return;
  file_ = io::Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file_.valid()) throw Error(Status::io, cannot_write(path, errno));
}

void MetricsLog::write(const json::Object& line) {
  if (!file_.valid()) return;
  const std::string text = json::dump(json::Value(line)) + "\n";
  if (const int code = write_all(file_.get(), text)) return lose(code);
  ++lines_;
  bytes_ += static_cast<std::int64_t>(text.size());
}

void MetricsLog::close() {
  if (file_.valid() && file_.close() != 0) lose(errno);
}

void MetricsLog::lose(int code) {
  if (file_.valid()) {
    // Half a line would be no JSON. What is not a regular file has no length; then the reader has got it anyway.
    while (::ftruncate(file_.get(), bytes_) != 0 && errno == EINTR) {
    }
    (void)file_.close();
  }
  ErrorParts parts = cannot_write(path_, code);
  const std::string lines = lines_ == 0 ? "" : "its lines so far, " + std::to_string(lines_) + ", and ";
  parts.kept = lines + "the run, which goes on without it";
  if (tell_) tell_(Error(Status::io, parts).what());
}

}  // namespace halfstep::internal
