// Preprocessor::apply: the same columns, found again in other data.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>

#include "data/column_store.hpp"
#include "data/differences.hpp"
#include "data/embedded_column.hpp"
#include "data/match.hpp"
#include "data/number_format.hpp"
#include "data/recipe.hpp"
#include "data/sparse_recipe.hpp"
#include "data/standardise.hpp"
#include "data/stored_table.hpp"
#include "data/target_columns.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr std::size_t kNowhere = kUnknown;
constexpr double kMaxValues = 8e9;  // of one set, 32 GB

using Rows = std::vector<std::uint32_t>;
using ColumnPlaces = std::vector<std::size_t>;

void write_numbers(const Recipe& recipe, const InputColumn& input, const std::vector<double>& numbers, const Rows& rows,
                   std::size_t offset, Examples& out) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double number = numbers[rows[i]];
    if (input.embedded) {
      out.x[i * out.features + offset] = embedded_value(input, number);
      out.x[i * out.features + offset + 1] = embedded_place(input, number);
      continue;
    }
    const double value = number == number ? number : input.mean;
    out.x[i * out.features + offset] = standardised(recipe.standardize, value, input.mean, input.scale);
  }
}

// Place of every text in `names`, kNowhere for the unknown.
std::vector<std::size_t> places_of(const std::vector<std::string>& texts, const std::vector<std::string>& names) {
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < names.size(); ++i) index.emplace(names[i], i);
  std::vector<std::size_t> places;
  for (const std::string& text : texts) {
    auto found = index.find(text);
    const std::string name = found == index.end() ? category_name(trim_blanks(text)) : std::string();
    if (found == index.end()) found = index.find(name);
    places.push_back(found == index.end() ? kNowhere : found->second);
  }
  return places;
}

void write_categories(const InputColumn& input, const Column& column, const Rows& rows, std::size_t offset,
                      Examples& out, Differences& differences) {
  const Categories categories = as_categories(column);
  const std::vector<std::size_t> places = places_of(categories.texts, input.categories);
  const std::size_t missing_place =
      input.missing_category ? input.categories.size() + (input.embedded ? 1 : 0) : kNowhere;
  std::size_t missing = 0, unseen = 0;
  std::vector<bool> used(categories.texts.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t code = categories.codes[rows[i]];
    const std::size_t place = code == kMissingCode ? missing_place : places[code];
    if (input.embedded) {
      const std::size_t rest = input.categories.size() + (code == kMissingCode ? 1 : 0);
      out.x[i * out.features + offset] = static_cast<float>(place != kNowhere ? place : rest);
    } else if (place != kNowhere) {
      out.x[i * out.features + offset + place] = 1;
    }
    if (place != kNowhere) continue;
    if (code == kMissingCode) {
      ++missing;
    } else {
      ++unseen;
      used[code] = true;
    }
  }
  const std::string name = excerpt(input.name);
  if (missing > 0) differences.missing.push_back(name + " " + count_text(missing, "row"));
  if (unseen == 0) return;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) names.push_back(categories.texts[i]);
  }
  std::vector<std::string>& list = input.embedded ? differences.rare : differences.unseen;
  list.push_back(name + " " + count_text(unseen, "row") + " (" + list_names(names, 5) + ")");
}

// Texts of a column of times that are none.
void note_no_times(const InputColumn& input, const TimeNumbers& times, const Rows& rows, Differences& differences) {
  const auto is_none = [&](std::uint32_t row) { return times.is_none(row); };
  const auto count = static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), is_none));
  if (count == 0) return;
  differences.no_times.push_back(excerpt(input.name) + " " + count_text(count, "row") + " (" +
                                 list_names(times.no_times(), 5) + ")");
}

[[noreturn]] void fail_label(const Recipe& recipe, const std::string& source, const std::string& where,
                             const std::string& label) {
  fail(Status::format, "a class that the training data does not have", source + where, excerpt(label),
       "leave out such rows, or train on data that has it; the classes are " + list_names(recipe.classes));
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

void check_size(std::size_t rows, std::size_t features, const std::string& source) {
  if (static_cast<double>(rows) * static_cast<double>(features) <= kMaxValues) return;
  fail(Status::limit, "the data is too large", source,
       std::to_string(rows) + " rows of " + std::to_string(features) + " features", "--drop columns of many texts");
}

void write_targets(const Recipe& recipe, const RawData& raw, const ColumnPlaces& places, const Rows& rows,
                   Examples& out) {
  const Table& table = *raw.table();
  if (recipe.task == Task::classify) {
    return write_labels(recipe, table, table.columns[places[0]], raw.source, rows, out);
  }
  const std::size_t width = out.outputs = recipe.targets.size();
  out.targets.resize(rows.size() * width);
  out.exact_targets.resize(rows.size() * width);
  for (std::size_t t = 0; t < width; ++t) {
    require_numbers(table.columns[places[t]], places[t], table, raw.source);
    const std::vector<double> numbers = numbers_of(table.columns[places[t]]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double half = numbers[rows[i]] * 0.5 - recipe.targets[t].mean * 0.5;
      const double standardised = half / (recipe.targets[t].scale * 0.5);
      out.targets[i * width + t] = static_cast<float>(std::clamp(standardised, -1e30, 1e30));
      out.exact_targets[i * width + t] = standardised;
    }
  }
}

// All rows, where `targets` are none.
Rows rows_to_keep(const Table& table, const ColumnPlaces& targets, const std::string& source) {
  Rows rows = rows_with_all(table, targets);
  if (rows.empty()) {
    fail(Status::format, "no rows to work on", source,
         std::to_string(table.rows) + " rows, none with " + (targets.size() > 1 ? "all targets" : "a target"),
         targets.size() > 1 ? "rows with all targets" : "rows with a target");
  }
  return rows;
}

void note_rows_left_out(const Recipe& recipe, const Table& table, std::size_t kept, const ColumnPlaces& targets,
                        Notes notes) {
  if (kept == table.rows) return;
  std::string text = count_text(table.rows - kept, "row") + " without a target in ";
  if (targets.size() > 1) {
    text = count_text(table.rows - kept, "row") + " without all targets left out: ";
    return note(notes, text + list_incomplete(table, targets, target_names(recipe.targets)));
  }
  const std::string tokens = list_missing(table.columns[targets[0]]);
  note(notes,
       text + excerpt(recipe.targets[0].name) + " left out" + (tokens.empty() ? "" : "; taken as missing: " + tokens));
}

Examples apply_libsvm(const Recipe& recipe, const RawData& raw, bool need_targets, Notes notes) {
  const Table& table = *raw.table();
  const ColumnPlaces label = need_targets ? ColumnPlaces{0} : ColumnPlaces();
  const Rows rows = rows_to_keep(table, label, raw.source);
  note_rows_left_out(recipe, table, rows.size(), label, notes);
  for (const std::string& remark : table.remarks) note(notes, remark);
  Examples out;
  out.rows = rows.size();
  out.features = count_features(recipe);
  apply_sparse(recipe, raw, rows, out, notes);
  if (need_targets) write_targets(recipe, raw, label, rows, out);
  return out;
}

Examples apply_table(const Recipe& recipe, const RawData& raw, bool need_targets, Notes notes) {
  const Table& table = *raw.table();
  const Places places = match_columns(recipe, table, raw.source, need_targets, notes);
  const ColumnPlaces targets = need_targets ? places.targets : ColumnPlaces();
  const Rows rows = rows_to_keep(table, targets, raw.source);
  note_rows_left_out(recipe, table, rows.size(), targets, notes);
  for (const std::string& remark : table.remarks) note(notes, remark);
  Examples out;
  out.rows = rows.size();
  out.features = count_features(recipe);
  check_size(out.rows, out.features, raw.source);
  out.x.assign(out.rows * out.features, 0.0f);
  Differences differences;
  std::size_t offset = 0;
  std::optional<TimeNumbers> times;  // of the column of the input
  for (std::size_t i = 0; i < recipe.columns.size(); ++i) {
    const InputColumn& input = recipe.columns[i];
    if (input.kind == InputColumn::Kind::dropped) continue;
    const Column& column = table.columns[places.inputs[i]];
    if (input.time != TimePart::none) {
      if (!recipe.continues(i)) {
        times.emplace(column, input.order);
        note_no_times(input, *times, rows, differences);
      }
      const std::vector<double> numbers = times->of(input.time);
      write_numbers(recipe, input, numbers, rows, offset, out);
      if (notes) compare_numbers(input, column, numbers, rows, differences);
    } else if (input.kind == InputColumn::Kind::number) {
      require_numbers(column, places.inputs[i], table, raw.source);
      std::vector<double> read;
      const std::vector<double>& numbers = column.is_text ? (read = numbers_of(column)) : column.numbers;
      write_numbers(recipe, input, numbers, rows, offset, out);
      if (notes) compare_numbers(input, column, numbers, rows, differences);
    } else {
      write_categories(input, column, rows, offset, out, differences);
    }
    offset += input.width();
  }
  differences.tell(notes);
  if (need_targets) write_targets(recipe, raw, targets, rows, out);
  return out;
}

// As much as memory holds is made ready at a time, and its features put on the disk.
Examples apply_stored(const Recipe& recipe, const RawData& raw, bool need_targets) {
  const Table& table = *raw.table();
  Examples out;
  out.features = count_features(recipe);
  const auto file = std::make_shared<RowFile>(table.store->folder(), out.features);
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  const std::size_t block = table.store->block_rows();
  std::vector<bool> wanted(table.columns.size(), true);
  for (const InputColumn& input : recipe.columns) {
    wanted[input.index] = input.kind != InputColumn::Kind::dropped;  // the table is that of training
  }
  for (std::size_t first = 0; first < table.rows; first += block) {
    const RawData part = {raw.source, load_rows(table, first, std::min(block, table.rows - first), wanted)};
    const Examples ready = apply_table(recipe, part, need_targets, nullptr);
    file->append(ready.x);
    out.rows += ready.rows;
    out.outputs = ready.outputs;
    append(out.labels, ready.labels);
    append(out.targets, ready.targets);
    append(out.exact_targets, ready.exact_targets);
  }
  out.file = file;
  return out;
}

void write_matrix_labels(const Recipe& recipe, const RawData& raw, Examples& out) {
  const Matrix& matrix = *raw.matrix();
  if (recipe.task != Task::classify) {
    fail(Status::format, "the data does not fit the model", raw.source, "its rows have labels, the model gives values",
         "predict, which needs none");
  }
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
         "expected " + std::to_string(recipe.matrix_cols) + " values a row, found " + std::to_string(matrix.cols),
         "images of the size that the model was trained on");
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

Examples apply_recipe(const Recipe& recipe, RawData raw, bool need_targets, std::vector<std::string>* notes) {
  for (const std::string& remark : raw.remarks) note(notes, remark);
  if ((raw.matrix() != nullptr) != recipe.is_matrix) {
    fail(Status::format, "the data is of another kind than the training data", raw.source,
         recipe.is_matrix ? "expected rows of pixels, found a table" : "expected a table, found rows of pixels",
         "data of the kind that the model was trained on");
  }
  if (recipe.is_matrix) return apply_matrix(recipe, raw, need_targets);
  const bool sparse = !raw.table()->sparse.empty();
  if (sparse != recipe.is_sparse) {
    fail(Status::format, "the data is of another kind than the training data", raw.source,
         sparse ? "expected a table with columns, found LIBSVM" : "expected LIBSVM, found a table with columns",
         sparse ? "data of the kind that the model was trained on, or --format csv if this is it"
                : "data of the kind that the model was trained on, or --format libsvm if this is it");
  }
  if (raw.table()->store) return apply_stored(recipe, raw, need_targets);
  return sparse ? apply_libsvm(recipe, raw, need_targets, notes) : apply_table(recipe, raw, need_targets, notes);
}

}  // namespace halfstep::internal::data
