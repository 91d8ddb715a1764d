// The recipe as JSON, inside model files. Nothing read back is believed before it is checked.
#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <set>

#include "data/recipe.hpp"
#include "data/sparse_recipe.hpp"
#include "data/target_columns.hpp"
#include "data/text.hpp"
#include "text/json.hpp"

namespace halfstep::internal::data {
namespace {

// 1 does not know of ranges, units, missing tokens and separators, 2 not of sparse, 3 not of several targets, 4 not of
// embedded columns, 5 not of times. Each recipe is written in the first version that has what it needs, so that older
// programs read it where they can.
constexpr std::int64_t kVersion = 6, kEmbedded = 5, kSeveral = 4, kSparse = 3, kFirst = 2;
constexpr std::int64_t kMaxColumns = 1000000;
constexpr std::size_t kMaxKnots = 1025;

[[noreturn]] void fail_recipe(std::string why) {
  fail(Status::format, "damaged preprocessing in the model", "", std::move(why));
}

// No others, but for one that may be there.
void check_keys(const json::Value& value, std::initializer_list<std::string_view> keys,
                std::string_view optional = {}) {
  for (const auto& [key, member] : value.as_object()) {
    if (!optional.empty() && key == optional) continue;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) fail_recipe("unknown key " + excerpt(key));
  }
  for (const std::string_view key : keys) value.at(key);
}

double finite_at(const json::Value& value, std::string_view key, double low) {
  const double number = value.at(key).as_number();
  if (!std::isfinite(number) || number < low) fail_recipe("the number " + excerpt(key) + " is out of range");
  return number;
}

std::size_t count_at(const json::Value& value, std::string_view key, std::int64_t low, std::int64_t high) {
  const std::int64_t count = value.at(key).as_integer();
  if (count < low || count > high) fail_recipe("the number " + excerpt(key) + " is out of range");
  return static_cast<std::size_t>(count);
}

constexpr double kAny = -1.7976931348623157e308;

template <class Item>
json::Array to_array(const std::vector<Item>& items) {
  return json::Array(items.begin(), items.end());
}

std::vector<std::string> names_at(const json::Value& value, std::string_view key, std::size_t most = kMaxCategories) {
  const json::Array& array = value.at(key).as_array();
  if (array.size() > most) fail_recipe(excerpt(key) + " is too long");
  std::vector<std::string> names;
  for (const json::Value& name : array) names.push_back(name.as_string());
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) {
    fail_recipe(excerpt(key) + " has a name twice");
  }
  return names;
}

json::Value column_to_json(const InputColumn& column) {
  json::Object out = {{"name", column.name}};
  if (column.kind == InputColumn::Kind::dropped) {
    out.emplace_back("kind", "dropped");
  } else if (column.kind == InputColumn::Kind::number) {
    out.emplace_back("kind", "number");
    out.emplace_back("mean", column.mean);
    out.emplace_back("scale", column.scale);
    out.emplace_back("low", column.low);
    out.emplace_back("high", column.high);
    out.emplace_back("missing_seen", column.missing_seen);
    out.emplace_back("missing_tokens", to_array(column.missing_tokens));
    out.emplace_back("unit", column.unit);
  } else {
    out.emplace_back("kind", "categories");
    out.emplace_back("categories", to_array(column.categories));
    out.emplace_back("missing_category", column.missing_category);
  }
  if (column.embedded) out.emplace_back("knots", to_array(column.knots));
  return out;
}

// Of the inputs from `first` on that are of one column of times; `first` then stands behind them.
json::Value times_to_json(const Recipe& recipe, std::size_t& first) {
  const InputColumn& column = recipe.columns[first];
  json::Array parts;
  do {
    const InputColumn& input = recipe.columns[first];
    json::Object part = {{"part", name(input.time)}, {"mean", input.mean}, {"scale", input.scale},
                         {"low", input.low},         {"high", input.high}, {"missing_seen", input.missing_seen}};
    if (input.embedded) part.emplace_back("knots", to_array(input.knots));
    parts.emplace_back(std::move(part));
  } while (++first < recipe.columns.size() && recipe.continues(first));
  return json::Object{{"name", column.name}, {"kind", "time"}, {"order", name(column.order)}, {"parts", parts}};
}

// Of an embedded column; of categories there are none.
void read_knots(const json::Value& value, InputColumn& column) {
  column.embedded = true;
  const json::Array& array = value.at("knots").as_array();
  const bool number = column.kind == InputColumn::Kind::number;
  if (array.size() > (number ? kMaxKnots : 0)) fail_recipe("column " + excerpt(column.name) + " has too many knots");
  for (const json::Value& knot : array) {
    const double k = knot.as_number();
    if (!std::isfinite(k) || (!column.knots.empty() && !(k > column.knots.back()))) {
      fail_recipe("the knots of column " + excerpt(column.name) + " do not increase");
    }
    column.knots.push_back(k);
  }
}

void read_number(const json::Value& value, std::int64_t version, InputColumn& column) {
  if (version == 1) return check_keys(value, {"name", "kind", "mean", "scale"});
  check_keys(value, {"name", "kind", "mean", "scale", "low", "high", "missing_seen", "missing_tokens", "unit"},
             version >= 5 ? "knots" : "");
  column.low = value.at("low").as_number();
  column.high = value.at("high").as_number();
  if (column.low != column.low || column.high != column.high) fail_recipe("a range is NaN");
  column.missing_seen = value.at("missing_seen").as_bool();
  column.missing_tokens = names_at(value, "missing_tokens");
  column.unit = value.at("unit").as_string();
}

std::vector<InputColumn> times_from_json(const json::Value& value, std::int64_t version) {
  if (version < 6) fail_recipe("times in a version that has none");
  check_keys(value, {"name", "kind", "order", "parts"});
  InputColumn column;
  column.name = value.at("name").as_string();
  const auto order = from_name<DateOrder>(value.at("order").as_string());
  const json::Array& parts = value.at("parts").as_array();
  if (!order || parts.empty()) fail_recipe("column " + excerpt(column.name) + " has no times");
  column.order = *order;
  std::vector<InputColumn> out;
  for (const json::Value& part : parts) {
    InputColumn input = column;
    const bool embedded = part.find("knots") != nullptr;
    check_keys(part, {"part", "mean", "scale", "low", "high", "missing_seen"}, embedded ? "knots" : "");
    const auto time = from_name<TimePart>(part.at("part").as_string());
    const bool fits = time && *time != TimePart::none && (*order != DateOrder::none || *time == TimePart::hour);
    if (!fits || (!out.empty() && *time <= out.back().time) || (!out.empty() && embedded != out.back().embedded))
      fail_recipe("the times of column " + excerpt(column.name) + " are no such list");
    input.time = *time;
    input.mean = finite_at(part, "mean", kAny);
    input.scale = finite_at(part, "scale", 0);
    input.low = finite_at(part, "low", kAny);
    input.high = finite_at(part, "high", kAny);
    input.missing_seen = part.at("missing_seen").as_bool();
    if (embedded) read_knots(part, input);
    out.push_back(std::move(input));
  }
  return out;
}

InputColumn column_from_json(const json::Value& value, std::int64_t version) {
  InputColumn column;
  const bool embedded = version >= 5 && value.find("knots");
  column.name = value.at("name").as_string();
  const std::string& kind = value.at("kind").as_string();
  if (kind == "dropped") {
    check_keys(value, {"name", "kind"});
    column.kind = InputColumn::Kind::dropped;
  } else if (kind == "number") {
    read_number(value, version, column);
    column.mean = finite_at(value, "mean", kAny);
    column.scale = finite_at(value, "scale", 0);
  } else if (kind == "categories") {
    check_keys(value, {"name", "kind", "categories", "missing_category"}, embedded ? "knots" : "");
    column.kind = InputColumn::Kind::categories;
    column.categories = names_at(value, "categories", embedded ? kMaxCodes : kMaxCategories);
    column.missing_category = value.at("missing_category").as_bool();
    if (column.width() == 0 && !embedded) fail_recipe("column " + excerpt(column.name) + " has no categories");
  } else {
    fail_recipe("unknown kind of column " + excerpt(kind));
  }
  if (embedded && column.kind != InputColumn::Kind::dropped) read_knots(value, column);
  return column;
}

TargetColumn read_target_column(const json::Value& value) {
  TargetColumn target;
  target.name = value.at("name").as_string();
  target.index = count_at(value, "index", 0, kMaxColumns);
  target.mean = finite_at(value, "mean", kAny);
  target.scale = finite_at(value, "scale", 0);
  if (target.scale == 0) fail_recipe("the scale of the target is 0");
  return target;
}

void read_target(const json::Value& value, Recipe& recipe) {
  check_keys(value, {"name", "index", "task", "classes", "mean", "scale", "description"});
  recipe.targets = {read_target_column(value)};
  recipe.target_description = value.at("description").as_string();
  recipe.classes = names_at(value, "classes");
  const std::string& task = value.at("task").as_string();
  recipe.task = from_name<Task>(task).value_or(Task::automatic);
  if (recipe.task == Task::automatic) fail_recipe("unknown task " + excerpt(task));
  if (recipe.task == Task::classify && recipe.classes.size() < 2) fail_recipe("fewer than two classes");
  if (recipe.task == Task::regress && !recipe.classes.empty()) fail_recipe("classes in a regression");
}

json::Object target_to_json(const TargetColumn& target) {
  return {{"name", target.name}, {"index", target.index}, {"mean", target.mean}, {"scale", target.scale}};
}

// Several values.
void read_targets(const json::Value& value, Recipe& recipe) {
  check_keys(value, {"columns", "description"});
  recipe.task = Task::regress;
  recipe.target_description = value.at("description").as_string();
  const json::Array& array = value.at("columns").as_array();
  if (array.size() < 2 || array.size() > kMaxTargets) fail_recipe("fewer than two targets, or too many");
  recipe.targets.clear();
  std::set<std::size_t> indices;
  for (const json::Value& item : array) {
    check_keys(item, {"name", "index", "mean", "scale"});
    recipe.targets.push_back(read_target_column(item));
    if (!indices.insert(recipe.targets.back().index).second) fail_recipe("two targets are one column");
  }
}

// The places that targets leave, in their order.
std::vector<std::size_t> other_places(const Recipe& recipe, std::size_t width) {
  std::vector<bool> is_target(width);
  for (const TargetColumn& target : recipe.targets) {
    if (target.index >= width) fail_recipe("the index of a target is out of range");
    is_target[target.index] = true;
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < width; ++i) {
    if (!is_target[i]) places.push_back(i);
  }
  return places;
}

void read_columns(const json::Value& value, std::int64_t version, Recipe& recipe) {
  const json::Array& array = value.as_array();
  if (array.empty() || array.size() > static_cast<std::size_t>(kMaxColumns)) fail_recipe("no columns, or too many");
  const std::vector<std::size_t> places = other_places(recipe, array.size() + recipe.targets.size());
  std::set<std::string> names;
  for (const TargetColumn& target : recipe.targets) {
    if (!names.insert(target.name).second) fail_recipe("two targets are named " + excerpt(target.name));
  }
  std::size_t place = 0;
  for (const json::Value& item : array) {
    std::vector<InputColumn> inputs;
    if (item.at("kind").as_string() == "time") {
      inputs = times_from_json(item, version);
    } else {
      inputs = {column_from_json(item, version)};
    }
    if (!names.insert(inputs[0].name).second) fail_recipe("two columns are named " + excerpt(inputs[0].name));
    for (InputColumn& input : inputs) {
      input.index = places[place];
      recipe.columns.push_back(std::move(input));
    }
    ++place;
  }
  if (count_features(recipe) == 0) fail_recipe("no features");
}

void read_dialect(const json::Value& value, Recipe& recipe) {
  const std::string& separator = value.at("separator").as_string();
  if (separator.size() != 1) fail_recipe("the separator is no single sign");
  recipe.separator = separator[0];
  recipe.decimal_comma = value.at("decimal_comma").as_bool();
  recipe.missing = names_at(value, "missing");
}

void read_matrix(const json::Value& value, Recipe& recipe) {
  check_keys(value, {"columns", "mean", "scale"});
  recipe.is_matrix = true;
  recipe.matrix_cols = count_at(value, "columns", 1, std::int64_t{1} << 32);
  recipe.matrix_mean = finite_at(value, "mean", kAny);
  recipe.matrix_scale = finite_at(value, "scale", 0);
}

std::vector<double> numbers_at(const json::Value& value, std::string_view key, double low) {
  const json::Array& array = value.at(key).as_array();
  if (array.empty() || array.size() > kMaxSparseFeatures) fail_recipe(excerpt(key) + " is empty or too long");
  std::vector<double> numbers;
  for (const json::Value& item : array) {
    numbers.push_back(item.as_number());
    const double number = numbers.back();
    if (!std::isfinite(number) || number < low) fail_recipe("a number in " + excerpt(key) + " is out of range");
  }
  return numbers;
}

void read_sparse(const json::Value& value, Recipe& recipe) {
  check_keys(value, {"zero_based", "missing", "means", "scales"});
  recipe.is_sparse = true;
  recipe.zero_based = value.at("zero_based").as_bool();
  recipe.missing = names_at(value, "missing");
  recipe.sparse_means = numbers_at(value, "means", kAny);
  recipe.sparse_scales = numbers_at(value, "scales", 0);
  if (recipe.sparse_means.size() != recipe.sparse_scales.size()) fail_recipe("means and scales differ in number");
}

}  // namespace

std::string recipe_to_json(const Recipe& recipe) {
  // Of rows from memory the number of values is that of the model's outputs.
  const bool several = recipe.targets.size() > 1 && !recipe.is_matrix;
  const auto any = [&](auto has) { return std::any_of(recipe.columns.begin(), recipe.columns.end(), has); };
  const bool embedded = any([](const InputColumn& column) { return column.embedded; });
  const bool times = any([](const InputColumn& column) { return column.time != TimePart::none; });
  json::Object out = {{"version", times              ? kVersion
                                  : embedded         ? kEmbedded
                                  : several          ? kSeveral
                                  : recipe.is_sparse ? kSparse
                                                     : kFirst},
                      {"standardize", recipe.standardize}};
  if (several) {
    json::Array targets;
    for (const TargetColumn& target : recipe.targets) targets.emplace_back(target_to_json(target));
    out.emplace_back("targets", json::Object{{"columns", targets}, {"description", recipe.target_description}});
  } else {
    const TargetColumn& target = recipe.targets.front();
    out.emplace_back("target", json::Object{{"name", target.name},
                                            {"index", target.index},
                                            {"task", name(recipe.task)},
                                            {"classes", to_array(recipe.classes)},
                                            {"mean", target.mean},
                                            {"scale", target.scale},
                                            {"description", recipe.target_description}});
  }
  if (recipe.is_matrix) {
    out.emplace_back(
        "matrix",
        json::Object{{"columns", recipe.matrix_cols}, {"mean", recipe.matrix_mean}, {"scale", recipe.matrix_scale}});
    return json::dump(out);
  }
  if (recipe.is_sparse) {
    out.emplace_back("sparse", json::Object{{"zero_based", recipe.zero_based},
                                            {"missing", to_array(recipe.missing)},
                                            {"means", to_array(recipe.sparse_means)},
                                            {"scales", to_array(recipe.sparse_scales)}});
    return json::dump(out);
  }
  json::Array columns;
  for (std::size_t i = 0; i < recipe.columns.size();) {
    if (recipe.columns[i].time != TimePart::none) {
      columns.push_back(times_to_json(recipe, i));
    } else {
      columns.push_back(column_to_json(recipe.columns[i++]));
    }
  }
  out.emplace_back("has_header", recipe.has_header);
  out.emplace_back("separator", std::string(1, recipe.separator));
  out.emplace_back("decimal_comma", recipe.decimal_comma);
  out.emplace_back("missing", to_array(recipe.missing));
  out.emplace_back("columns", std::move(columns));
  return json::dump(out);
}

Recipe recipe_from_json(std::string_view text) {
  const json::Value value = json::parse(text, {.depth = 8, .values = std::size_t{1} << 24});
  const std::int64_t version = value.at("version").as_integer();
  if (version > kVersion) {
    fail(Status::unsupported, "the model's preprocessing is from a newer halfstep", "",
         "version " + std::to_string(version) + ", this one reads up to " + std::to_string(kVersion));
  }
  if (version < 1) fail_recipe("version " + std::to_string(version));
  Recipe recipe;
  recipe.standardize = value.at("standardize").as_bool();
  const bool several = version >= 4 && value.find("targets");
  const std::string_view target = several ? "targets" : "target";
  several ? read_targets(value.at(target), recipe) : read_target(value.at(target), recipe);
  if (several && !value.find("columns")) fail_recipe("several targets without columns");
  if (const json::Value* matrix = value.find("matrix")) {
    check_keys(value, {"version", "standardize", "target", "matrix"});
    read_matrix(*matrix, recipe);
    return recipe;
  }
  if (const json::Value* sparse = value.find("sparse")) {
    check_keys(value, {"version", "standardize", "target", "sparse"});
    read_sparse(*sparse, recipe);
    return recipe;
  }
  recipe.has_header = value.at("has_header").as_bool();
  if (version == 1) {
    check_keys(value, {"version", "standardize", "target", "has_header", "columns"});
  } else {
    check_keys(value,
               {"version", "standardize", target, "has_header", "separator", "decimal_comma", "missing", "columns"});
    read_dialect(value, recipe);
  }
  read_columns(value.at("columns"), version, recipe);
  return recipe;
}

}  // namespace halfstep::internal::data
