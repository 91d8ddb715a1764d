// Tables in separated text: comma, semicolon or tab.
#pragma once
#include "data/source.hpp"
#include "data/table.hpp"
#include "halfstep/options.hpp"

namespace halfstep::data {

// Uses options.header and options.missing. Throws Error(format) naming file and line for anything malformed, and
// for a file without rows.
Table parse_csv(const Source& source, const Options& options);

}  // namespace halfstep::data
