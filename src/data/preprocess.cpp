#include "data/preprocess.hpp"

#include "data/sniff_dialect.hpp"
#include "data/sparse_recipe.hpp"
#include "data/text.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal::data {
namespace {

std::string describe_number(const InputColumn& column, bool standardize) {
  if (column.scale == 0) return "constant " + short_number(column.mean) + (standardize ? ", taken as 0" : "");
  const std::string unit = column.unit.empty() ? "" : " in " + excerpt(column.unit);
  if (column.embedded) {
    return "number" + unit + ", median " + short_number(column.mean) + ", embedded with " +
           std::to_string(column.knots.size()) + " knots";
  }
  return "number" + unit + ", mean " + short_number(column.mean) + ", standard deviation " +
         short_number(column.scale) + (standardize ? "" : ", not standardised");
}

std::string describe_column(const InputColumn& column, bool standardize) {
  const std::string start = excerpt(column.title()) + " (column " + std::to_string(column.index) + "): ";
  switch (column.kind) {
    case InputColumn::Kind::dropped:
      return start + "left out";
    case InputColumn::Kind::number:
      return start + describe_number(column, standardize);
    case InputColumn::Kind::categories:
      break;
  }
  return start + std::to_string(column.categories.size()) + " categories" +
         (column.missing_category ? " and missing" : "") + (column.embedded ? ", embedded" : "") + ": " +
         list_names(column.categories, 5);
}

// How eval and predict read a table: what they are told and need not find out.
std::string describe_reading(const Recipe& recipe) {
  return std::string("read with ") + (recipe.has_header ? "a line of names" : "no line of names") + ", separator " +
         separator_name(recipe.separator) + (recipe.decimal_comma ? ", decimal commas" : "") +
         (recipe.missing.empty() ? "" : ", missing " + list_names(recipe.missing, 5));
}

}  // namespace

Preprocessor Preprocessor::fit(const RawData& raw, const TargetChoice& target, const Options& options) {
  Preprocessor made;
  made.recipe_ = fit_recipe(raw, target, options, made.notes_);
  return made;
}

Preprocessor Preprocessor::fit(const RawData& raw, const Options& options) {
  return fit(raw, choose_target(raw, options), options);
}

Preprocessor Preprocessor::from_json(std::string_view text) {
  Preprocessor made;
  made.recipe_ = recipe_from_json(text);
  return made;
}

std::vector<std::string> Preprocessor::describe() const {
  if (recipe_.is_matrix) {
    return {std::to_string(recipe_.matrix_cols) + " values a row, mean " + short_number(recipe_.matrix_mean) +
            ", standard deviation " + short_number(recipe_.matrix_scale) + " over all"};
  }
  if (recipe_.is_sparse) return {describe_sparse(recipe_)};
  std::vector<std::string> lines = {describe_reading(recipe_)};
  for (const InputColumn& column : recipe_.columns) lines.push_back(describe_column(column, recipe_.standardize));
  return lines;
}

}  // namespace halfstep::internal::data
