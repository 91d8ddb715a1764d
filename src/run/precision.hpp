// Storage type of each layer of a run.
#pragma once
#include <string>
#include <vector>

#include "halfstep/options.hpp"

namespace halfstep {

// Of each of `layers` layers: options.precision, but for those that options.layer_precision names.
std::vector<Dtype> layer_dtypes(const Options& options, std::size_t layers);

// Whether anything is stored in `dtype`.
bool stores(const Options& options, Dtype dtype);

// "bf16", or "bf16 but 0=fp32,2=fp16".
std::string precision_text(Dtype precision, const std::vector<Dtype>& layers);

// "0=fp32,2=fp16": the layers that are not `precision`.
std::string exceptions_text(Dtype precision, const std::vector<Dtype>& layers);

}  // namespace halfstep
