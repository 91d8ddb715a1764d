// How the outputs of a model are read, from what its data was.
#pragma once
#include "data/preprocess.hpp"
#include "metrics/output_meaning.hpp"

namespace halfstep::internal {

OutputMeaning output_meaning(const data::Preprocessor& preprocessor, LossKind loss);

}  // namespace halfstep::internal
