// LIBSVM, also called svmlight: "label [qid:n] index:value ... # comment", a line for each row; what is not there is 0.
#pragma once
#include <string_view>

#include "data/source.hpp"
#include "data/table.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Recipe;

// The table's one column is the label, its features are sparse. Indices count from 1 unless index 0 occurs, or as in
// the training data of `known`. A line without a label is a row without a target. Throws Error(format) naming file and
// line for anything malformed, for indices that do not ascend, and for several labels in a line.
Table parse_libsvm(const Source& source, const Options& options, const Recipe* known = nullptr);

// Whether the first lines are of this format.
enum class LooksLibsvm {
  no,
  yes,
  perhaps  // they could also be columns with times of day
};
LooksLibsvm looks_like_libsvm(std::string_view text);

}  // namespace halfstep::internal::data
