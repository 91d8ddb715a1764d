// The page of one run.
#pragma once
#include <string>

#include "report/run_report.hpp"

namespace halfstep::internal::report {

// One HTML file that needs nothing from elsewhere, of at most 400 kB for any number of steps.
std::string run_page(const RunReport& report);

}  // namespace halfstep::internal::report
