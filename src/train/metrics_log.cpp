#include "train/metrics_log.hpp"

#include <cerrno>
#include <cstring>

#include "halfstep/error.hpp"

namespace halfstep {
namespace {

[[noreturn]] void fail(const std::string& path) {
  throw Error(Status::io, {.what = "cannot write the metrics file",
                           .where = path,
                           .why = std::strerror(errno),
                           .kept = {},
                           .hint = "a path that can be written for --metrics"});
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path) : path_(path) {
  if (path.empty()) return;
  file_.reset(std::fopen(path.c_str(), "we"));
  if (!file_) fail(path);
}

void MetricsLog::write(const json::Object& line) {
  if (!file_) return;
  const std::string text = json::dump(json::Value(line)) + "\n";
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size() || std::fflush(file_.get()) != 0)
    fail(path_);
}

}  // namespace halfstep
