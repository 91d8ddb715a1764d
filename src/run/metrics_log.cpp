#include "run/metrics_log.hpp"

#include <fcntl.h>

namespace halfstep::internal {
namespace {

constexpr SideFile::Role kRole = {"the metrics file", "--metrics", "lines"};

}  // namespace

MetricsLog::MetricsLog(const std::string& path)
    : wanted_(!path.empty()), file_(wanted_ ? SideFile(kRole, path, O_TRUNC) : SideFile(kRole)) {}

void MetricsLog::write(const json::Object& line) {
  if (wanted_) file_.write(json::dump(json::Value(line)) + "\n");
}

}  // namespace halfstep::internal
