// Storage type of each layer of a run.
#pragma once
#include <string>
#include <vector>

#include "halfstep/options.hpp"

namespace halfstep::internal {

// Of each of `layers` layers: options.precision, but for those that options.layer_precision names.
std::vector<Dtype> layer_dtypes(const Options& options, std::size_t layers);

// Whether anything is stored in `dtype`.
bool stores(const Options& options, Dtype dtype);

}  // namespace halfstep::internal
