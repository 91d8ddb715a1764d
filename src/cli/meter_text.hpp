#pragma once
#include <string>

#include "halfstep/meters.hpp"

namespace halfstep::cli {

// A table, a tensor a line.
std::string meter_text(const MeterReport& report);

// A small chart: how many magnitudes of each tensor lie in each power of two, a tensor a line.
std::string exponents_text(const MeterReport& report);

}  // namespace halfstep::cli
