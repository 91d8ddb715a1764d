#include "data/folds.hpp"

#include <algorithm>

#include "data/hold_out.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

using RowPlaces = std::vector<std::uint32_t>;  // in target.rows

// The fold of each place.
RowPlaces by_chance(std::size_t rows, std::size_t folds, std::uint64_t seed) {
  RowPlaces fold(rows);
  std::size_t next = 0;
  for (const std::uint32_t i : epoch_order(rows, seed, kHoldOutEpoch)) {
    fold[i] = static_cast<std::uint32_t>(next++ % folds);
  }
  return fold;
}

// Of each class as many as of any other fold, or one more; folds are as large as each other, or one row larger.
RowPlaces by_class(const TargetChoice& target, std::size_t folds, std::uint64_t seed) {
  std::vector<RowPlaces> of_class(target.classes.size());
  for (const std::uint32_t i : epoch_order(target.rows.size(), seed, kHoldOutEpoch)) {
    of_class[target.class_of[i]].push_back(i);
  }
  RowPlaces fold(target.rows.size());
  std::size_t next = 0;
  for (const RowPlaces& rows : of_class) {
    for (const std::uint32_t i : rows) fold[i] = static_cast<std::uint32_t>(next++ % folds);
  }
  return fold;
}

// The largest groups first, each to the fold with the fewest rows.
RowPlaces by_group(const RawData& raw, const TargetChoice& target, std::size_t folds, const Options& options) {
  std::vector<RowPlaces> groups = groups_of(raw, target, options);
  if (groups.size() < folds) {
    fail(Status::invalid_argument, "fewer groups than folds", "--group " + options.group,
         "there are " + std::to_string(groups.size()),
         "--folds " + std::to_string(std::max<std::size_t>(2, groups.size())));
  }
  RowPlaces order = epoch_order(groups.size(), options.seed, kHoldOutEpoch);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return groups[a].size() > groups[b].size(); });
  std::vector<std::size_t> sizes(folds);
  RowPlaces fold(target.rows.size());
  for (const std::uint32_t g : order) {
    const auto smallest = std::min_element(sizes.begin(), sizes.end());
    *smallest += groups[g].size();
    for (const std::uint32_t i : groups[g]) fold[i] = static_cast<std::uint32_t>(smallest - sizes.begin());
  }
  return fold;
}

}  // namespace

std::vector<Split> folds_of(const RawData& raw, const TargetChoice& target, std::size_t folds, const Options& options) {
  const std::size_t rows = target.rows.size();
  const bool ordered = options.split == "ordered" && options.group.empty();
  const std::size_t parts = ordered ? folds + 1 : folds;
  if (rows < parts) {
    fail(Status::invalid_argument, "fewer rows than folds", raw.source, std::to_string(rows) + " rows have a target",
         "fewer --folds");
  }
  RowPlaces fold;
  if (!options.group.empty()) {
    fold = by_group(raw, target, folds, options);
  } else if (ordered) {
    for (std::size_t i = 0; i < rows; ++i) fold.push_back(static_cast<std::uint32_t>(i * parts / rows));
  } else if (options.split == "stratified") {
    require_classes(target);
    fold = by_class(target, folds, options.seed);
  } else {
    fold = by_chance(rows, folds, options.seed);
  }
  std::vector<Split> splits(folds);
  for (std::size_t f = 0; f < folds; ++f) {
    const std::size_t part = ordered ? f + 1 : f;
    for (std::size_t i = 0; i < rows; ++i) {
      if (fold[i] == part) {
        splits[f].validation.push_back(target.rows[i]);
      } else if (!ordered || fold[i] < part) {
        splits[f].train.push_back(target.rows[i]);
      }
    }
  }
  return splits;
}

TargetChoice with_rows(const TargetChoice& target, const std::vector<std::uint32_t>& rows) {
  TargetChoice some = target;
  some.rows = rows;
  some.class_of.clear();
  std::size_t place = 0;
  for (const std::uint32_t row : rows) {
    while (target.rows[place] != row) ++place;
    if (!target.class_of.empty()) some.class_of.push_back(target.class_of[place]);
  }
  return some;
}

}  // namespace halfstep::internal::data
