// NPY, the format of numpy.save: the bytes 93 "NUMPY", two of version, the length of a header, a Python dictionary with
// type, order and shape, then the values (NumPy Enhancement Proposal 1).
#pragma once
#include <string_view>

#include "data/raw_data.hpp"
#include "data/source.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

struct Recipe;

bool is_npy(std::string_view bytes);

// Numbers and truth values of up to 8 bytes, in either order. Two dimensions are a table without names, NaN a missing
// value; with `labels`, an array of one dimension or of two, they are its last columns. More dimensions are rows of
// pixels, without labels. Throws Error(format) for a damaged file, an infinite value, or labels that do not fit,
// Error(unsupported) for other types.
RawData parse_npy(const Source& source, const Source* labels, const Options& options, const Recipe* known);

// Integer labels of one dimension.
std::vector<std::int32_t> parse_npy_labels(const Source& source);

}  // namespace halfstep::internal::data
