#include "data/match.hpp"

#include <unordered_map>

#include "data/target_columns.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

void note_order(const Recipe& recipe, const Places& places, Notes notes) {
  std::size_t last = 0;
  for (std::size_t i = 0; i < places.inputs.size(); ++i) {
    if (recipe.columns[i].width() == 0 || places.inputs[i] == kUnknown) continue;
    if (places.inputs[i] < last)
      return note(notes, "the columns stand in another order than in training: taken by their names");
    last = places.inputs[i];
  }
}

Places match_by_name(const Recipe& recipe, const Table& table, const std::string& source, bool need_targets,
                     Notes notes) {
  std::unordered_map<std::string, std::size_t> left;
  for (std::size_t i = 0; i < table.columns.size(); ++i) left.emplace(table.columns[i].name, i);
  const auto take = [&](const std::string& name) {
    const auto node = left.extract(name);
    return node.empty() ? kUnknown : node.mapped();
  };
  Places places;
  std::vector<std::string> absent;
  for (std::size_t i = 0; i < recipe.columns.size(); ++i) {
    const InputColumn& column = recipe.columns[i];
    places.inputs.push_back(recipe.continues(i) ? places.inputs.back() : take(column.name));
    if (recipe.continues(i)) continue;
    if (places.inputs.back() == kUnknown && column.width() > 0) absent.push_back(column.name);
  }
  for (const TargetColumn& target : recipe.targets) {
    places.targets.push_back(take(target.name));
    if (places.targets.back() == kUnknown && need_targets) absent.push_back(target.name);
  }
  std::vector<std::string> extra;
  for (const Column& column : table.columns) {
    if (left.contains(column.name)) extra.push_back(column.name);
  }
  if (!absent.empty()) {
    fail(Status::format, "the columns are not those of the training data", source,
         "missing: " + list_names(absent) + (extra.empty() ? "" : "; not in the training data: " + list_names(extra)),
         extra.empty() ? "add what is missing" : "rename the columns as in training, or add what is missing");
  }
  if (!extra.empty()) {
    note(notes, count_text(extra.size(), "column") + " that training did not have left aside: " + list_names(extra));
  }
  note_order(recipe, places, notes);
  return places;
}

Places match_by_position(const Recipe& recipe, const Table& table, const std::string& source, bool need_targets,
                         Notes notes) {
  const std::size_t found = table.columns.size();
  const std::size_t expected = recipe.table_width();
  const bool without_targets = !need_targets && found == recipe.inputs_width();
  if (found != expected && !without_targets) {
    fail(Status::format, "the columns are not those of the training data", source,
         "expected " + std::to_string(expected) + " columns, " + (recipe.targets.size() == 1 ? "target " : "targets ") +
             list_names(target_names(recipe.targets), 5) + " included, found " + std::to_string(found),
         recipe.has_header ? "a first line with the names of the columns"
                           : "the columns of the training data, in its order");
  }
  if (recipe.has_header && !table.has_header) {
    note(notes, "no line of names, unlike the training data: columns taken by their place");
  } else if (table.has_header && !recipe.has_header) {
    std::vector<std::string> names = column_names(table);
    note(notes, "the first line is taken as names, which the training data did not have: " + list_names(names, 4) +
                    "; --header no takes it as a row");
  }
  Places places;
  for (const InputColumn& column : recipe.columns) {
    places.inputs.push_back(without_targets ? recipe.index_without_targets(column.index) : column.index);
  }
  for (const TargetColumn& target : recipe.targets) {
    places.targets.push_back(without_targets ? kUnknown : target.index);
  }
  return places;
}

}  // namespace

Places match_columns(const Recipe& recipe, const Table& table, const std::string& source, bool need_targets,
                     Notes notes) {
  const bool by_name = recipe.has_header && table.has_header;
  return by_name ? match_by_name(recipe, table, source, need_targets, notes)
                 : match_by_position(recipe, table, source, need_targets, notes);
}

}  // namespace halfstep::internal::data
