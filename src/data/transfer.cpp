#include "data/transfer.hpp"

#include <algorithm>
#include <utility>

#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

[[noreturn]] void refuse(const std::string& source, std::string why) {
  fail(Status::format, "the data does not fit the model to start from", source, std::move(why),
       "data with the columns that the model was trained on, or no --init-from");
}

const InputColumn* find(const Recipe& recipe, const InputColumn& wanted, bool by_name) {
  const auto at = std::find_if(recipe.columns.begin(), recipe.columns.end(), [&](const InputColumn& column) {
    return by_name ? column.name == wanted.name : column.index == wanted.index;
  });
  return at == recipe.columns.end() ? nullptr : &*at;
}

void take_columns(const Recipe& known, Recipe& fitted, const std::string& source, std::vector<std::string>& notes) {
  const bool by_name = known.has_header && fitted.has_header;
  std::vector<InputColumn> inputs;
  std::vector<std::string> absent;
  std::vector<std::size_t> used;
  for (const InputColumn& column : known.columns) {
    if (column.kind == InputColumn::Kind::dropped) continue;
    const InputColumn* const here = find(fitted, column, by_name);
    if (here == nullptr) {
      if (absent.empty() || absent.back() != column.name) absent.push_back(column.name);
      continue;
    }
    inputs.push_back(column);
    inputs.back().name = here->name;
    inputs.back().index = here->index;
    used.push_back(here->index);
  }
  if (!absent.empty()) refuse(source, "missing among its inputs: " + list_names(absent));
  std::vector<std::string> aside;
  for (std::size_t i = 0; i < fitted.columns.size(); ++i) {
    const InputColumn& column = fitted.columns[i];
    if (fitted.continues(i)) continue;
    if (std::find(used.begin(), used.end(), column.index) != used.end()) continue;
    if (column.kind != InputColumn::Kind::dropped) aside.push_back(column.name);
    InputColumn dropped;
    dropped.name = column.name;
    dropped.index = column.index;
    dropped.kind = InputColumn::Kind::dropped;
    inputs.push_back(std::move(dropped));
  }
  // A model's file knows columns by their order alone: those that are left aside go where they stand, not to the end,
  // unless the inputs stand in another order here than in the model's table.
  const auto before = [](const InputColumn& a, const InputColumn& b) { return a.index < b.index; };
  if (std::is_sorted(used.begin(), used.end())) std::stable_sort(inputs.begin(), inputs.end(), before);
  fitted.columns = std::move(inputs);
  if (!aside.empty())
    notes.push_back("left aside, for the model to start from does not have them: " + list_names(aside));
}

}  // namespace

Recipe with_inputs_of(const Recipe& known, Recipe fitted, const std::string& source, std::vector<std::string>& notes) {
  if (known.is_matrix != fitted.is_matrix || known.is_sparse != fitted.is_sparse) {
    refuse(source, "it is of another kind: table, images or LIBSVM");
  }
  if (known.is_matrix && known.matrix_cols != fitted.matrix_cols) {
    refuse(source, "its rows have " + std::to_string(fitted.matrix_cols) + " values, the model's " +
                       std::to_string(known.matrix_cols));
  }
  fitted.standardize = known.standardize;
  fitted.matrix_mean = known.matrix_mean;
  fitted.matrix_scale = known.matrix_scale;
  fitted.zero_based = known.zero_based;
  fitted.sparse_means = known.sparse_means;
  fitted.sparse_scales = known.sparse_scales;
  if (!known.is_matrix && !known.is_sparse) take_columns(known, fitted, source, notes);
  return fitted;
}

bool take_targets_of(const Recipe& known, Recipe& fitted) {
  if (known.task != fitted.task) return false;
  if (known.task == Task::classify) return known.classes == fitted.classes;
  const auto same_name = [](const TargetColumn& a, const TargetColumn& b) { return a.name == b.name; };
  if (!std::equal(known.targets.begin(), known.targets.end(), fitted.targets.begin(), fitted.targets.end(),
                  same_name)) {
    return false;
  }
  for (std::size_t i = 0; i < fitted.targets.size(); ++i) {
    fitted.targets[i].mean = known.targets[i].mean;
    fitted.targets[i].scale = known.targets[i].scale;
  }
  return true;
}

}  // namespace halfstep::internal::data
