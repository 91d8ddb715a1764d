// What the inputs and outputs of a network stand for in the data that it was fitted on.
#pragma once
#include "data/preprocess.hpp"
#include "doctor/trace.hpp"

namespace halfstep::internal {

DataWords data_words(const data::Preprocessor& preprocessor);

}  // namespace halfstep::internal
