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

// Parameters of the loss scale; and all that say in what precision a run is.
std::vector<std::string> parameters_of_scale();
std::vector<std::string> parameters_of_precision();

}  // namespace halfstep::internal
