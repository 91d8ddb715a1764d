// Preprocessor::apply: the same columns, found again in other data.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "data/recipe.hpp"
#include "data/target.hpp"
#include "data/text.hpp"

namespace halfstep::data {
namespace {

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
constexpr double kMaxDeviations = 1e4;  // farther values are held there, within reach of fp16
constexpr double kMaxValues = 8e9;      // of one set, 32 GB

using Rows = std::vector<std::uint32_t>;

// Where each column of the recipe, and the target, stands in a table.
struct Places {
  std::vector<std::size_t> inputs;
  std::size_t target = kNowhere;
};

Places match_by_name(const Recipe& recipe, const Table& table, const std::string& source, bool need_targets) {
  std::unordered_map<std::string, std::size_t> left;
  for (std::size_t i = 0; i < table.columns.size(); ++i) left.emplace(table.columns[i].name, i);
  const auto take = [&](const std::string& name) {
    const auto node = left.extract(name);
    return node.empty() ? kNowhere : node.mapped();
  };
  Places places;
  std::vector<std::string> absent;
  for (const InputColumn& column : recipe.columns) {
    places.inputs.push_back(take(column.name));
    if (places.inputs.back() == kNowhere && column.width() > 0) absent.push_back(column.name);
  }
  places.target = take(recipe.target);
  if (places.target == kNowhere && need_targets) absent.push_back(recipe.target);
  if (absent.empty() && left.empty()) return places;
  std::vector<std::string> extra;
  for (const Column& column : table.columns) {
    if (left.contains(column.name)) extra.push_back(column.name);
  }
  std::string why = absent.empty() ? "" : "missing: " + list_names(absent);
  if (!absent.empty() && !extra.empty()) why += "; ";
  if (!extra.empty()) why += "not in the training data: " + list_names(extra);
  fail(Status::format, "the columns are not those of the training data", source, why);
}

Places match_by_position(const Recipe& recipe, const Table& table, const std::string& source, bool need_targets) {
  const std::size_t found = table.columns.size();
  const std::size_t expected = recipe.columns.size() + 1;
  const bool without_target = !need_targets && found + 1 == expected;
  if (found != expected && !without_target) {
    fail(Status::format, "the columns are not those of the training data", source,
         "expected " + std::to_string(expected) + " columns, target " + excerpt(recipe.target) + " included, found " +
             std::to_string(found));
  }
  Places places;
  for (const InputColumn& column : recipe.columns) {
    places.inputs.push_back(column.index - (without_target && column.index > recipe.target_index ? 1 : 0));
  }
  if (!without_target) places.target = recipe.target_index;
  return places;
}

void write_numbers(const Recipe& recipe, const InputColumn& input, const Column& column, const Rows& rows,
                   std::size_t offset, Examples& out) {
  constexpr double kMaxFloat = std::numeric_limits<float>::max();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // A text column that got here holds numbers only.
    double value = input.mean;
    if (!column.missing(rows[i]) && !column.is_text) value = column.numbers[rows[i]];
    if (!column.missing(rows[i]) && column.is_text) parse_number(column.values[column.codes[rows[i]]], value);
    double x = std::clamp(value, -kMaxFloat, kMaxFloat);
    if (recipe.standardize) {
      // Halves: the difference of two finite numbers may be infinite.
      x = input.scale == 0 ? 0 : (value * 0.5 - input.mean * 0.5) / (input.scale * 0.5);
      x = std::clamp(x, -kMaxDeviations, kMaxDeviations);
    }
    out.x[i * out.features + offset] = static_cast<float>(x);
  }
}

// Place of every known text in `names`, kNowhere for the others.
std::vector<std::size_t> places_of(const std::vector<std::string>& texts, const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < names.size(); ++i) index.emplace(names[i], i);
  std::vector<std::size_t> places;
  for (const std::string& text : texts) {
    const auto found = index.find(text);
    places.push_back(found == index.end() ? kNowhere : found->second);
  }
  return places;
}

void write_categories(const InputColumn& input, const Column& column, const Rows& rows, std::size_t offset,
                      Examples& out) {
  const Categories categories = as_categories(column);
  const std::vector<std::size_t> places = places_of(categories.texts, input.categories);
  const std::size_t missing_place = input.missing_category ? input.categories.size() : kNowhere;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t code = categories.codes[rows[i]];
    const std::size_t place = code == kMissingCode ? missing_place : places[code];
    if (place != kNowhere) out.x[i * out.features + offset + place] = 1;
  }
}

[[noreturn]] void fail_label(const Recipe& recipe, const std::string& source, const std::string& where,
                             const std::string& label) {
  fail(Status::format, "a class that the training data does not have", source + where, excerpt(label),
       "the classes are " + list_names(recipe.classes));
}

// The published test part of "adult" writes "<=50K." for "<=50K".
std::vector<std::string> without_full_stop(std::vector<std::string> texts) {
  for (std::string& text : texts) {
    if (text.ends_with('.')) text.pop_back();
  }
  return texts;
}

void write_labels(const Recipe& recipe, const Table& table, const Column& column, const std::string& source,
                  const Rows& rows, Examples& out) {
  const Categories categories = as_categories(column);
  std::vector<std::size_t> places = places_of(categories.texts, recipe.classes);
  const auto unknown = [&](std::uint32_t row) { return places[categories.codes[row]] == kNowhere; };
  const auto first = std::find_if(rows.begin(), rows.end(), unknown);
  if (first != rows.end()) {
    places = places_of(without_full_stop(categories.texts), recipe.classes);
    if (std::any_of(rows.begin(), rows.end(), unknown)) {
      fail_label(recipe, source, table.lines.empty() ? "" : ", line " + std::to_string(table.lines[*first]),
                 categories.texts[categories.codes[*first]]);
    }
  }
  for (const std::uint32_t row : rows) out.labels.push_back(static_cast<std::int32_t>(places[categories.codes[row]]));
}

void write_targets(const Recipe& recipe, const RawData& raw, std::size_t place, const Rows& rows, Examples& out) {
  const Table& table = *raw.table();
  const Column& column = table.columns[place];
  if (recipe.task == Task::classify) return write_labels(recipe, table, column, raw.source, rows, out);
  require_numbers(column, place, table, raw.source);
  for (const std::uint32_t row : rows) {
    double value = 0;
    if (column.is_text) {
      parse_number(column.values[column.codes[row]], value);
    } else {
      value = column.numbers[row];
    }
    const double standardised = (value * 0.5 - recipe.target_mean * 0.5) / (recipe.target_scale * 0.5);
    out.targets.push_back(static_cast<float>(std::clamp(standardised, -1e30, 1e30)));
    out.exact_targets.push_back(standardised);
  }
}

void check_size(std::size_t rows, std::size_t features, const std::string& source) {
  if (static_cast<double>(rows) * static_cast<double>(features) <= kMaxValues) return;
  fail(Status::limit, "the data is too large", source,
       std::to_string(rows) + " rows of " + std::to_string(features) + " features", "--drop columns of many texts");
}

Rows rows_to_keep(const Table& table, std::size_t target, const std::string& source) {
  Rows rows;
  for (std::size_t row = 0; row < table.rows; ++row) {
    if (target == kNowhere || !table.columns[target].missing(row)) rows.push_back(static_cast<std::uint32_t>(row));
  }
  if (rows.empty()) {
    fail(Status::format, "no rows to work on", source, std::to_string(table.rows) + " rows, none with a target");
  }
  return rows;
}

Examples apply_table(const Recipe& recipe, const RawData& raw, bool need_targets) {
  const Table& table = *raw.table();
  const bool by_name = recipe.has_header && table.has_header;
  const Places places = by_name ? match_by_name(recipe, table, raw.source, need_targets)
                                : match_by_position(recipe, table, raw.source, need_targets);
  const Rows rows = rows_to_keep(table, need_targets ? places.target : kNowhere, raw.source);
  Examples out;
  out.rows = rows.size();
  out.features = count_features(recipe);
  check_size(out.rows, out.features, raw.source);
  out.x.assign(out.rows * out.features, 0.0f);
  std::size_t offset = 0;
  for (std::size_t i = 0; i < recipe.columns.size(); ++i) {
    const InputColumn& input = recipe.columns[i];
    if (input.kind == InputColumn::Kind::dropped) continue;
    const Column& column = table.columns[places.inputs[i]];
    if (input.kind == InputColumn::Kind::number) {
      require_numbers(column, places.inputs[i], table, raw.source);
      write_numbers(recipe, input, column, rows, offset, out);
    } else {
      write_categories(input, column, rows, offset, out);
    }
    offset += input.width();
  }
  if (need_targets) write_targets(recipe, raw, places.target, rows, out);
  return out;
}

void write_matrix_labels(const Recipe& recipe, const RawData& raw, Examples& out) {
  const Matrix& matrix = *raw.matrix();
  if (matrix.labels.empty()) {
    fail(Status::format, "no labels", raw.source,
         matrix.labels_source.empty() ? "" : matrix.labels_source + " is not there", "name their file with --labels");
  }
  std::unordered_map<std::int32_t, std::int32_t> places;
  for (const std::int32_t label : matrix.labels) {
    const auto [place, fresh] = places.try_emplace(label, -1);
    if (fresh) {
      const auto found = std::find(recipe.classes.begin(), recipe.classes.end(), std::to_string(label));
      if (found == recipe.classes.end()) fail_label(recipe, raw.source, "", std::to_string(label));
      place->second = static_cast<std::int32_t>(found - recipe.classes.begin());
    }
    out.labels.push_back(place->second);
  }
}

Examples apply_matrix(const Recipe& recipe, RawData& raw, bool need_targets) {
  Matrix& matrix = std::get<Matrix>(raw.content);
  if (matrix.cols != recipe.matrix_cols) {
    fail(Status::format, "the rows are not like those of the training data", raw.source,
         "expected " + std::to_string(recipe.matrix_cols) + " values a row, found " + std::to_string(matrix.cols));
  }
  check_size(matrix.rows, matrix.cols, raw.source);
  const double factor = recipe.matrix_scale > 0 ? 1 / recipe.matrix_scale : 0;
  Examples out;
  out.rows = matrix.rows;
  out.features = matrix.cols;
  out.bytes = std::move(matrix.bytes);
  out.byte_scale = static_cast<float>(factor);
  out.byte_shift = static_cast<float>(-recipe.matrix_mean * factor);
  out.x.reserve(matrix.floats.size());
  const double limit = recipe.standardize ? kMaxDeviations : std::numeric_limits<float>::max();
  for (const float value : matrix.floats) {
    out.x.push_back(static_cast<float>(std::clamp((value - recipe.matrix_mean) * factor, -limit, limit)));
  }
  if (need_targets) write_matrix_labels(recipe, raw, out);
  return out;
}

}  // namespace

Examples apply_recipe(const Recipe& recipe, RawData raw, bool need_targets) {
  if ((raw.matrix() != nullptr) != recipe.is_matrix) {
    fail(Status::format, "the data is of another kind than the training data", raw.source,
         recipe.is_matrix ? "expected rows of pixels, found a table" : "expected a table, found rows of pixels");
  }
  return recipe.is_matrix ? apply_matrix(recipe, raw, need_targets) : apply_table(recipe, raw, need_targets);
}

}  // namespace halfstep::data
