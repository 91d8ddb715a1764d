// What a storage type is: its bytes, and its place in tables with an entry for each.
#pragma once
#include <cstddef>

#include "halfstep/types.hpp"

namespace halfstep::internal {

constexpr std::size_t size_of(Dtype dtype) { return dtype == Dtype::fp32 ? 4 : 2; }
constexpr std::size_t index_of(Dtype dtype) { return static_cast<std::size_t>(dtype); }

}  // namespace halfstep::internal
