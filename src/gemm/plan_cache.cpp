#include "gemm/plan_cache.hpp"

namespace halfstep::internal {
namespace {

std::size_t mixed(const RowsRequest& r) {
  std::size_t x = r.rows;
  for (const std::size_t part : {r.columns, r.k, r.element, r.row_grain}) {
    x = (x ^ part) * std::size_t{0x9e3779b97f4a7c15};
    x ^= x >> 32;
  }
  return x;
}

}  // namespace

const RowsPlan& PlanCache::rows(const RowsRequest& request, const CacheSizes& caches) {
  Set& set = sets_[mixed(request) % sets_.size()];
  for (const Entry& entry : set.entries) {
    if (entry.request == request) return entry.plan;
  }
  Entry& entry = set.entries[set.oldest];
  set.oldest = (set.oldest + 1) % set.entries.size();
  entry = {request, plan_rows(request, caches)};
  return entry.plan;
}

}  // namespace halfstep::internal
