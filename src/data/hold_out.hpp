// Which rows are held out of a file, of those that have a target.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/raw_data.hpp"
#include "data/split.hpp"
#include "data/target.hpp"
#include "halfstep/options.hpp"

namespace halfstep::internal::data {

// About `share` of the rows, by options.split, group and seed. At least one row of each class stays in training, but
// where groups or the order of the file are kept. Throws Error(invalid_argument): no such column, a single group,
// classes that are not there.
Split hold_out(const RawData& raw, const TargetChoice& target, double share, const Options& options);

// The rows of each group, as places in target.rows; none is empty. Rows without a value of options.group are one group.
std::vector<std::vector<std::uint32_t>> groups_of(const RawData& raw, const TargetChoice& target,
                                                  const Options& options);
// Throws Error(invalid_argument) where the target is a number.
void require_classes(const TargetChoice& target);

// How that was done, in words: "seed 0", "the last of the file".
std::string hold_out_text(const Options& options);

// How much each row counts, from options.weights; empty where that is. Throws Error(invalid_argument, format): no such
// column, it is the target, a weight that is missing, negative or no number, with its line.
std::vector<float> row_weights(const RawData& raw, const TargetChoice& target, const Options& options);

// The name of that column; empty without one.
std::string weights_column(const RawData& raw, const Options& options);
// The same of another set, of the rows that have its targets: what stands in its column of this name; none where it has
// no such column.
std::optional<std::vector<float>> weights_of_set(const RawData& raw, const Recipe& recipe, const std::string& column);

// The columns that options.group and options.weights name, which say something about rows and are no inputs.
std::vector<std::string> columns_about_rows(const Options& options);

}  // namespace halfstep::internal::data
