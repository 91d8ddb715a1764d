// Tries the tiles of matrix products.
#pragma once
#include <vector>

#include "doctor/check_count.hpp"

namespace halfstep::internal {

// Against the smallest tile of the reference, of two rows and one panel, put together to the same size.
void try_tiles(const KernelTable& reference, std::vector<TableUnderTest>& tables);

}  // namespace halfstep::internal
