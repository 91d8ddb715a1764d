#include "run/data_words.hpp"

namespace halfstep::internal {
namespace {

void add_column(const data::InputColumn& column, std::vector<DataWords::Column>& inputs) {
  if (column.kind == data::InputColumn::Kind::dropped) return;
  if (column.kind == data::InputColumn::Kind::number)
    return inputs.push_back({column.title(), column.mean, column.scale});
  for (const std::string& category : column.categories) inputs.push_back({column.name + "=" + category});
  if (column.missing_category) inputs.push_back({column.name + " missing"});
}

}  // namespace

DataWords data_words(const data::Preprocessor& preprocessor) {
  const data::Recipe& recipe = preprocessor.recipe();
  DataWords words;
  words.standardised = recipe.standardize;
  if (recipe.is_matrix) {
    words.inputs.assign(recipe.matrix_cols, {{}, recipe.matrix_mean, recipe.matrix_scale});
  } else if (recipe.is_sparse) {
    for (std::size_t i = 0; i < recipe.sparse_means.size(); ++i) {
      words.inputs.push_back(
          {std::to_string(i + (recipe.zero_based ? 0 : 1)), recipe.sparse_means[i], recipe.sparse_scales[i]});
    }
  } else {
    for (const data::InputColumn& column : recipe.columns) add_column(column, words.inputs);
  }
  if (recipe.task == Task::regress) {
    for (const data::TargetColumn& target : recipe.targets) {
      words.targets.push_back({target.name, target.mean, target.scale});
    }
  }
  return words;
}

}  // namespace halfstep::internal
