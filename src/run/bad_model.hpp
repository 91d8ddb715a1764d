// A file that is no model.
#pragma once
#include <string>

namespace halfstep::internal {

// Throws Error(format).
[[noreturn]] void bad_model(const std::string& path, const std::string& why);

}  // namespace halfstep::internal
