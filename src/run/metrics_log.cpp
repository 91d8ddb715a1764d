#include "run/metrics_log.hpp"

#include <fstream>
#include <string_view>

#include <fcntl.h>

#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

constexpr SideFile::Role kMetricsRole = {"the metrics file", "--metrics", "lines"};

// Whether a run that went on would write the line again.
bool comes_again(std::string_view text, const MetricsLog::WentOn& from) {
  try {
    const json::Value line = json::parse(text);
    const std::int64_t step = line.at("step").as_integer();
    return step > from.step || (step == from.step && line.find("epoch") != nullptr && !from.epoch_ended);
  } catch (const Error&) {
    return true;  // half a line, as a power failure leaves it
  }
}

// Bytes of the lines that stay.
std::int64_t kept_bytes(const std::string& path, const MetricsLog::WentOn& from) {
  std::ifstream file(path, std::ios::binary);
  std::int64_t bytes = 0;
  for (std::string line; std::getline(file, line) && !file.eof();) {
    if (comes_again(line, from)) break;
    bytes += static_cast<std::int64_t>(line.size()) + 1;
  }
  return bytes;
}

SideFile open_log(const std::string& path, const MetricsLog::WentOn* went_on) {
  if (path.empty()) return SideFile(kMetricsRole);
  if (went_on == nullptr) return SideFile(kMetricsRole, path, O_TRUNC);
  const std::int64_t kept = kept_bytes(path, *went_on);
  SideFile file(kMetricsRole, path, 0);
  file.keep(kept);
  return file;
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path, const WentOn* went_on)
    : wanted_(!path.empty()), file_(open_log(path, went_on)) {}

void MetricsLog::write(const json::Object& line) {
  if (wanted_) file_.write(json::dump(json::Value(line)) + "\n");
}

}  // namespace halfstep::internal
