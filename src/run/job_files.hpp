// The files of a training job.
#pragma once
#include <string>

#include "halfstep/options.hpp"

namespace halfstep::internal {

// options.out, or what stands for it.
std::string model_path(const Options& options);

// Where a run that diverges leaves its last good weights: "model.safetensors" gives "model.last-good.safetensors".
std::string last_good_path(const std::string& model);

// Where a run keeps a step that went non-finite: options.capsule, or "model.capsule.safetensors" beside the model.
std::string capsule_path(const Options& options);

}  // namespace halfstep::internal
