// NPZ, the format of numpy.savez: a ZIP archive of NPY files.
#pragma once
#include <string_view>

#include "data/raw_data.hpp"
#include "data/source.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Recipe;

// A ZIP archive whose first member is named as an array is.
bool is_npz(std::string_view bytes);

// Features and labels by the names that they usually have (X and y, images and labels, x_train and y_train, ...), the
// labels also by options.labels, which may be another file too. x_test and y_test are a part to test with. One array
// alone is a table, whose last column is the target. Throws Error(format) which lists the arrays where that leaves open
// what to take.
DataPair parse_npz(const Source& archive, const Options& options, const Recipe* known, Parts parts);

}  // namespace halfstep::internal::data
