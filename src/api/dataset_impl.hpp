// What a public Dataset holds.
#pragma once
#include "data/preprocess.hpp"
#include "halfstep/dataset.hpp"

namespace halfstep {

struct Dataset::Impl {
  internal::data::Preprocessor preprocessor;
  internal::data::Examples examples;
  std::vector<std::string> notes = {};
};

namespace internal {

// Of rows in memory, which the model sees as they are: a matrix that is not scaled. `classes` 0: targets are values,
// `outputs` for each row.
data::Preprocessor preprocessor_of_rows(std::size_t features, std::size_t classes, std::size_t outputs = 1);

}  // namespace internal
}  // namespace halfstep
