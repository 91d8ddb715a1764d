#include "data/hold_out.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/columns.hpp"
#include "data/match.hpp"
#include "data/take.hpp"
#include "data/target_columns.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

// Places in target.rows, in an order by chance.
std::vector<std::uint32_t> shuffled_places(std::size_t rows, std::uint64_t seed) {
  return rows == 0 ? std::vector<std::uint32_t>() : epoch_order(rows, seed, kHoldOutEpoch);
}

std::size_t held_out_count(std::size_t rows, double share) {
  if (rows < 2) return 0;
  return std::clamp<std::size_t>(static_cast<std::size_t>(std::round(share * static_cast<double>(rows))), 1, rows - 1);
}

Split of_marks(const std::vector<bool>& held_out) {
  Split split;
  for (std::uint32_t i = 0; i < held_out.size(); ++i) (held_out[i] ? split.validation : split.train).push_back(i);
  return split;
}

// A class of which all rows were held out gets the first of them back.
void keep_classes_in_training(const TargetChoice& target, Split& split) {
  std::vector<bool> trained(target.classes.size());
  for (const std::uint32_t i : split.train) {
    if (!target.class_of.empty()) trained[target.class_of[i]] = true;
  }
  const auto moved = std::remove_if(split.validation.begin(), split.validation.end(), [&](std::uint32_t i) {
    if (target.class_of.empty() || trained[target.class_of[i]]) return false;
    trained[target.class_of[i]] = true;
    split.train.push_back(i);
    return true;
  });
  split.validation.erase(moved, split.validation.end());
  std::sort(split.train.begin(), split.train.end());
}

// Of each class its share: what rounding leaves is settled over the classes one after another, so that the whole is
// the share of the whole.
Split stratified(const TargetChoice& target, double share, std::uint64_t seed) {
  require_classes(target);
  std::vector<std::vector<std::uint32_t>> of_class(target.classes.size());
  for (const std::uint32_t i : shuffled_places(target.rows.size(), seed)) of_class[target.class_of[i]].push_back(i);
  std::vector<bool> held_out(target.rows.size());
  double wanted = 0;
  std::size_t taken = 0;
  for (const auto& rows : of_class) {
    wanted += share * static_cast<double>(rows.size());
    const auto rest = static_cast<std::size_t>(std::max(0.0, std::round(wanted) - static_cast<double>(taken)));
    const std::size_t count = std::min(rest, rows.empty() ? 0 : rows.size() - 1);
    for (std::size_t k = 0; k < count; ++k) held_out[rows[k]] = true;
    taken += count;
  }
  return of_marks(held_out);
}

Split ordered(std::size_t rows, double share) {
  std::vector<bool> held_out(rows);
  for (std::size_t k = 0; k < held_out_count(rows, share); ++k) held_out[rows - 1 - k] = true;
  return of_marks(held_out);
}

const Table& table_with(const RawData& raw, const std::string& parameter) {
  if (raw.table() == nullptr || !raw.table()->sparse.empty()) {
    fail(Status::invalid_argument, "there are no columns to name", raw.source, "--" + parameter + " is for tables",
         "leave out --" + parameter);
  }
  return *raw.table();
}

// The column that a parameter names; not the target.
const Column& column_about_rows(const RawData& raw, const TargetChoice& target, const std::string& key,
                                const std::string& parameter) {
  const Table& table = table_with(raw, parameter);
  const std::size_t index = resolve_column(table, key, parameter);
  const auto same = [&](const TargetColumn& of) { return of.index == index; };
  if (std::any_of(target.columns.begin(), target.columns.end(), same)) {
    fail(Status::invalid_argument, "the target cannot be this column too", "--" + parameter,
         excerpt(table.columns[index].name), "choose another column");
  }
  return table.columns[index];
}

// Whole groups, until the next would take it further from the share than it is.
Split by_groups(const RawData& raw, const TargetChoice& target, double share, const Options& options) {
  const std::vector<std::vector<std::uint32_t>> of_group = groups_of(raw, target, options);
  if (of_group.size() < 2) {
    fail(Status::invalid_argument, "all rows are of one group, none can be held out", "--group " + options.group,
         "the column has one value", "another column, or leave out --group");
  }
  std::vector<bool> held_out(target.rows.size());
  const double wanted = share * static_cast<double>(target.rows.size());
  double taken = 0;
  std::size_t left = of_group.size();
  for (const std::uint32_t g : shuffled_places(of_group.size(), options.seed)) {
    const auto rows = static_cast<double>(of_group[g].size());
    const bool nearer = taken == 0 || std::fabs(taken + rows - wanted) < std::fabs(taken - wanted);
    if (!nearer || left == 1) continue;
    for (const std::uint32_t i : of_group[g]) held_out[i] = true;
    taken += rows;
    --left;
  }
  return of_marks(held_out);
}

Split places_held_out(const RawData& raw, const TargetChoice& target, double share, const Options& options) {
  if (!options.group.empty()) return by_groups(raw, target, share, options);
  if (options.split == "ordered") return ordered(target.rows.size(), share);
  if (options.split == "stratified") return stratified(target, share, options.seed);
  Split split = split_rows(target.rows.size(), share, options.seed);
  keep_classes_in_training(target, split);
  return split;
}

}  // namespace

void require_classes(const TargetChoice& target) {
  if (target.class_of.empty()) {
    fail(Status::invalid_argument, "there are no classes of which to take a share", "--split stratified",
         "the target is a number", "--split random");
  }
}

std::vector<std::vector<std::uint32_t>> groups_of(const RawData& raw, const TargetChoice& target,
                                                  const Options& options) {
  const Categories groups = as_categories(column_about_rows(raw, target, options.group, "group"));
  const std::size_t count = groups.texts.size() + 1;
  std::vector<std::vector<std::uint32_t>> of_group(count);
  for (std::uint32_t i = 0; i < target.rows.size(); ++i) {
    const std::uint32_t code = groups.codes[target.rows[i]];
    of_group[code == kMissingCode ? count - 1 : code].push_back(i);
  }
  std::erase_if(of_group, [](const auto& rows) { return rows.empty(); });
  return of_group;
}

Split hold_out(const RawData& raw, const TargetChoice& target, double share, const Options& options) {
  Split split = places_held_out(raw, target, share, options);
  for (auto* rows : {&split.train, &split.validation}) {
    for (std::uint32_t& i : *rows) i = target.rows[i];
  }
  return split;
}

std::string hold_out_text(const Options& options) {
  if (options.split == "ordered") return "the last of the file";
  const std::string seed = "seed " + std::to_string(options.seed);
  if (!options.group.empty()) return "whole groups by " + excerpt(options.group) + ", " + seed;
  return options.split == "stratified" ? "of each class its share, " + seed : seed;
}

namespace {

std::vector<float> checked_weights(const RawData& raw, const Column& column) {
  const Table& table = *raw.table();
  require_numbers(column, static_cast<std::size_t>(&column - table.columns.data()), table, raw.source);
  std::vector<float> weights;
  double sum = 0;
  const std::vector<double> numbers = numbers_of(column);
  for (std::size_t row = 0; row < numbers.size(); ++row) {
    weights.push_back(static_cast<float>(numbers[row]));
    if (numbers[row] >= 0 && std::isfinite(weights[row])) {
      sum += numbers[row];
      continue;
    }
    const std::string line =
        table.lines.empty() ? ", row " + std::to_string(row + 1) : ", line " + std::to_string(table.lines[row]);
    fail(Status::format, "a weight must be a number of at least 0",
         raw.source + line + ", column " + excerpt(column.name),
         std::isnan(numbers[row]) ? "it is missing" : "it is negative or too large",
         "correct it, or leave the row out");
  }
  if (sum == 0)
    fail(Status::format, "all weights are 0", raw.source + ", column " + excerpt(column.name), "no row counts");
  return weights;
}

}  // namespace

std::vector<float> row_weights(const RawData& raw, const TargetChoice& target, const Options& options) {
  if (options.weights.empty()) return {};
  return checked_weights(raw, column_about_rows(raw, target, options.weights, "weights"));
}

std::string weights_column(const RawData& raw, const Options& options) {
  if (options.weights.empty() || raw.table() == nullptr) return {};
  return raw.table()->columns[resolve_column(*raw.table(), options.weights, "weights")].name;
}

std::optional<std::vector<float>> weights_of_set(const RawData& raw, const Recipe& recipe, const std::string& column) {
  const Table* const table = raw.table();
  if (table == nullptr) return std::nullopt;
  const auto at = std::find_if(table->columns.begin(), table->columns.end(),
                               [&](const Column& other) { return other.name == column; });
  if (at == table->columns.end()) return std::nullopt;
  const std::vector<float> all = checked_weights(raw, *at);
  return take(all, 1, rows_with_all(*table, match_columns(recipe, *table, raw.source, true, nullptr).targets));
}

std::vector<std::string> columns_about_rows(const Options& options) {
  std::vector<std::string> columns;
  for (const std::string& column : {options.group, options.weights}) {
    if (!column.empty()) columns.push_back(column);
  }
  return columns;
}

}  // namespace halfstep::internal::data
