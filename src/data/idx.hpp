// IDX, the format of MNIST: bytes 00 00 TT DD, then DD big-endian sizes of 32 bits, then values of type TT.
#pragma once
#include <string>

#include "data/source.hpp"
#include "data/table.hpp"

namespace halfstep::internal::data {

// First dimension: rows; the others are flattened. Labels stay empty. Throws Error(format).
Matrix parse_idx(const Source& source);

// Integer labels of one dimension.
std::vector<std::int32_t> parse_idx_labels(const Source& source);

// "X-labels-idx1-ubyte" for "X-images-idx3-ubyte", with or without ".gz", whichever exists; empty when the name does
// not follow that pattern or there is no such file.
std::string find_idx_labels(const std::string& images_path);

// The name that such a file would have: "a-labels-idx1-ubyte" for "a-images-idx3-ubyte"; empty for other names.
std::string idx_labels_name(std::string images_name);

}  // namespace halfstep::internal::data
