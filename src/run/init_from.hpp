// A run that starts from the weights of a model.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "halfstep/options.hpp"
#include "run/model_file.hpp"
#include "run/prepare.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {

// The model that options.init_from names; none where that is empty. Its layers become those of the options. Throws
// Error: of reading, and invalid_argument where the options ask for other layers.
std::optional<SavedModel> model_to_start_from(Options& options);

// Gives the trainer the model's weights, but a new last layer where its outputs mean something else here. What was
// done, in words. Throws Error(format) where the layers differ.
std::string start_from(const SavedModel& model, const Prepared& prepared, StepTrainer& trainer,
                       const KernelTable& kernels);

}  // namespace halfstep::internal
