// A file's rows in parts, each of which is held out once.
#pragma once
#include <vector>

#include "data/raw_data.hpp"
#include "data/split.hpp"
#include "data/target.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

// `folds` splits of the rows that have a target, at least 2. Each row is held out in one of them, but with
// options.split ordered: the file is then cut into folds + 1 parts, each but the first is held out once, and those
// before it are trained on. With options.group groups stay whole. Throws Error(invalid_argument) where there are fewer
// rows or groups than folds.
std::vector<Split> folds_of(const RawData& raw, const TargetChoice& target, std::size_t folds, const Options& options);

// The same target with these rows only, which are some of its own, ascending.
TargetChoice with_rows(const TargetChoice& target, const std::vector<std::uint32_t>& rows);

}  // namespace halfstep::internal::data
