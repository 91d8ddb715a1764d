// The page that holds several runs against each other.
#pragma once
#include <string>
#include <vector>

#include "report/metrics_file.hpp"

namespace halfstep::internal::report {

RunFigures figures_of(const MetricsFile& file);

std::string compare_page(const std::vector<MetricsFile>& files, std::string_view version);

}  // namespace halfstep::internal::report
