// Features and labels that stand in arrays of their own.
#pragma once
#include <string>

#include "data/raw_data.hpp"
#include "data/source.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Recipe;

// Gives `images` the labels of an IDX or NPY file. Throws Error(format) unless there is one for each.
void attach_labels(Matrix& images, const std::string& source, const Source& labels);

// An array with its labels, unless null: of a table they are the last column, of rows of pixels they stand beside them.
RawData read_array(const Source& array, const Source* labels, const Options& options, const Recipe* known);

}  // namespace halfstep::internal::data
