// How the outputs of a model are read, from what its data was.
#pragma once
#include "data/preprocess.hpp"
#include "metrics/output_meaning.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal {

OutputMeaning output_meaning(const data::Preprocessor& preprocessor, LossKind loss);
// As it is predicted from: with its temperature.
OutputMeaning output_meaning(const SavedModel& saved);

}  // namespace halfstep::internal
