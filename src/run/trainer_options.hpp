// From the parameters of a run to the numbers that it is made from.
#pragma once
#include "halfstep/options.hpp"
#include "train/trainer_config.hpp"

namespace halfstep::internal {

// To train `spec` on `rows` examples.
TrainerConfig trainer_config(const Options& options, const ModelSpec& spec, std::size_t rows);

// Of the same run.
RunLength run_length(const Options& options, const TrainerConfig& config);

}  // namespace halfstep::internal
