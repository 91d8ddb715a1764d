// What `halfstep info` and `halfstep doctor machine` both print.
#pragma once
#include "cli/output.hpp"
#include "halfstep/info.hpp"

namespace halfstep::cli {

// What --isa, --math and --threads make of this build and machine.
SystemInfo info_of(const Args& args);
void add_info(JsonObject& object, const SystemInfo& info);
std::string info_text(const SystemInfo& info);

}  // namespace halfstep::cli
