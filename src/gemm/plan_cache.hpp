// The last plans made: making one takes as long as a small product.
#pragma once
#include <array>
#include <cstddef>
#include <vector>

#include "gemm/plan.hpp"

namespace halfstep::internal {

class PlanCache {
 public:
  // The plan for these caches; valid until the next call.
  const RowsPlan& rows(const RowsRequest& request, const CacheSizes& caches = cache_sizes());

 private:
  struct Entry {
    RowsRequest request = {};
    RowsPlan plan = {};
  };
  // A request has its place in one set, where it replaces the oldest: the products of some forty layers find room.
  struct Set {
    std::array<Entry, 4> entries = {};
    std::size_t oldest = 0;
  };
  std::vector<Set> sets_ = std::vector<Set>(32);
};

}  // namespace halfstep::internal
