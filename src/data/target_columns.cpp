#include "data/target_columns.hpp"

#include <algorithm>

#include "data/differences.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

[[noreturn]] void refuse_list(const std::string& what, std::string why, std::string hint) {
  fail(Status::invalid_argument, what, "--target", std::move(why), std::move(hint));
}

// "last" is no name to be looked for among others.
std::size_t resolve_target(const Table& table, const std::vector<std::string>& names, const std::string& key) {
  if (key.empty()) refuse_list("a target has no name", "an item of the list is empty", "names with a comma between");
  const std::size_t found = find_target(names, key);
  return found < names.size() ? found : resolve_column(table, key, "target");
}

}  // namespace

std::size_t find_target(std::span<const std::string> names, std::string_view key) {
  const std::size_t found = find_column(names, key);
  return found == names.size() && key == "last" ? names.size() - 1 : found;
}

std::vector<std::string> target_keys(std::span<const std::string> names, const std::string& target) {
  if (target.empty()) return {"last"};
  if (find_target(names, target) < names.size()) return {target};
  std::vector<std::string> keys(1);
  for (const char c : target) {
    if (c == ',') {
      keys.emplace_back();
    } else {
      keys.back() += c;
    }
  }
  return keys;
}

std::vector<TargetColumn> target_columns(const Table& table, const std::string& target) {
  const std::vector<std::string> names = column_names(table);
  std::vector<TargetColumn> columns;
  const auto add = [&](std::size_t index) { columns.push_back({.name = names[index], .index = index}); };
  if (target.empty() && table.labels > 1) {
    for (std::size_t i = names.size() - table.labels; i < names.size(); ++i) add(i);
  } else {
    for (const std::string& key : target_keys(names, target)) add(resolve_target(table, names, key));
  }
  if (columns.size() > kMaxTargets) {
    fail(Status::limit, "too many targets", "--target", "the most is " + std::to_string(kMaxTargets), "fewer of them");
  }
  std::vector<bool> named(names.size());
  for (const TargetColumn& column : columns) {
    if (named[column.index]) refuse_list("a target is named twice", excerpt(column.name), "each column once");
    named[column.index] = true;
  }
  return columns;
}

std::vector<std::string> target_names(const std::vector<TargetColumn>& targets) {
  std::vector<std::string> names;
  for (const TargetColumn& target : targets) names.push_back(target.name);
  return names;
}

std::vector<std::uint32_t> rows_with_all(const Table& table, const std::vector<std::size_t>& places) {
  std::vector<std::uint32_t> rows;
  for (std::size_t row = 0; row < table.rows; ++row) {
    const auto missing = [&](std::size_t place) { return table.columns[place].missing(row); };
    if (std::none_of(places.begin(), places.end(), missing)) rows.push_back(static_cast<std::uint32_t>(row));
  }
  return rows;
}

std::vector<std::uint32_t> rows_with_targets(const Table& table, const std::vector<TargetColumn>& targets) {
  std::vector<std::size_t> places;
  for (const TargetColumn& target : targets) places.push_back(target.index);
  return rows_with_all(table, places);
}

std::string list_incomplete(const Table& table, const std::vector<std::size_t>& places,
                            const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 8;
  std::string text;
  std::size_t listed = 0, more = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Column& column = table.columns[places[i]];
    std::size_t missing = 0;
    for (std::size_t row = 0; row < table.rows; ++row) missing += column.missing(row) ? 1 : 0;
    if (missing == 0 || ++listed > kMost) {
      more += missing == 0 ? 0 : 1;
      continue;
    }
    const std::string tokens = list_missing(column);
    text += (text.empty() ? "" : ", ") + excerpt(names[i]) + (text.empty() ? " is missing in " : " in ") +
            count_text(missing, "row") + (tokens.empty() ? "" : " (taken as missing: " + tokens + ")");
  }
  return more == 0 ? text : text + " and " + count_text(more, "more target");
}

}  // namespace halfstep::internal::data
