// What holds for every model file, and for what is made with one.
#pragma once
#include <string>

#include "halfstep/jobs.hpp"

namespace halfstep::fuzz {

// A model that was loaded is the same after it has been saved again.
void check_model_file(const std::string& path);

// Predictions of a file in the format of tables, and the measures of it where it has targets.
void check_use(const std::string& model, const std::string& data, const Options& options);

void check_predictions(const Predictions& predictions);

}  // namespace halfstep::fuzz
