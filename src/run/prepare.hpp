// From a path to rows that a model can train on.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "data/examples.hpp"
#include "data/preprocess.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal {

struct Prepared {
  data::Preprocessor preprocessor;
  data::Examples train;
  data::Examples validation;       // held out of the file: without rows where nothing is
  data::Examples test;             // a set of its own: without rows where there is none
  std::string split;               // how the rows were divided, in words
  std::size_t rows = 0;            // of the file
  std::vector<std::string> notes;  // what a user could regret
};

// Reads `path` and what options.test names, chooses the target and holds rows out. Throws Error: of reading, and
// invalid_argument where no training is possible.
Prepared prepare(const std::string& path, const Options& options);

}  // namespace halfstep::internal
