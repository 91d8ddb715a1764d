// A metrics file, whole.
#pragma once
#include <string>

namespace halfstep::internal {

// Throws Error: io when it cannot be read, limit when it has more than 1 GiB.
std::string read_metrics_text(const std::string& path);

}  // namespace halfstep::internal
