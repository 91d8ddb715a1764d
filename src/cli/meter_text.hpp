#pragma once
#include <string>

#include "halfstep/meters.hpp"

namespace halfstep::cli {

// A table, a tensor a line.
std::string meter_text(const MeterReport& report);

}  // namespace halfstep::cli
