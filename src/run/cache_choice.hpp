// Whether and where a table that is too large for memory goes by way of the disk.
#pragma once
#include "data/read_how.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal {

// By options.cache: beside options.out where nothing else is said, for the folder of temporary files may lie in memory.
data::Cache cache_choice(const Options& options);

}  // namespace halfstep::internal
