// An incident and readings of meters as JSON.
#pragma once
#include <string>

#include "halfstep/incident.hpp"
#include "halfstep/meters.hpp"

namespace halfstep::cli {

std::string incident_json(const Incident& incident);
std::string meter_json(const MeterReport& report);

}  // namespace halfstep::cli
