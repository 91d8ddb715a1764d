// What a public Dataset holds.
#pragma once
#include "data/preprocess.hpp"
#include "halfstep/dataset.hpp"

namespace halfstep {

struct Dataset::Impl {
  internal::data::Preprocessor preprocessor;
  internal::data::Examples examples;
};

}  // namespace halfstep
