#include "run/prepare.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "data/data.hpp"
#include "data/hold_out.hpp"
#include "data/stored_table.hpp"
#include "data/take.hpp"
#include "data/target.hpp"
#include "data/target_columns.hpp"
#include "data/text.hpp"
#include "data/transfer.hpp"
#include "halfstep/error.hpp"
#include "run/column_groups.hpp"
#include "run/quality.hpp"
#include "run/read_text.hpp"

namespace halfstep::internal {
namespace {

constexpr double kDefaultValidation = 0.1;

// `weights`: the column that says how much rows count; empty: they count alike.
void add_test(std::optional<data::RawData> test, const std::string& weights, const Options& options,
              const data::ReadHow& how, Prepared& p) {
  if (!options.test.empty()) test = data::read_test(options, p.preprocessor.recipe(), how);
  add_read(*test, p.reads);
  const std::string source = test->source;
  std::vector<std::string> differences;
  if (!options.report.empty()) p.test_rows = row_numbers(*test, data::target_names(p.preprocessor.targets()), {});
  std::optional<std::vector<float>> counts;
  if (!weights.empty()) {
    counts = data::weights_of_set(*test, p.preprocessor.recipe(), weights);
    if (!counts) differences.push_back("no column '" + weights + "' of weights: its rows count alike");
  }
  p.test = p.preprocessor.apply(*std::move(test), true, &differences);
  if (counts) p.test.weights = *std::move(counts);
  for (const std::string& text : differences) p.notes.push_back("test set: " + text);
  p.split += ", " + std::to_string(p.test.rows) + " to test from " + source;
}

// A run never starts with a parameter that it ignores.
void refuse_idle_split(const Options& options, double share) {
  if (share > 0 || options.bag > 1 || (options.split == "random" && options.group.empty())) return;
  throw Error(Status::invalid_argument, {.what = "these parameters do not go together",
                                         .where = options.group.empty() ? "--split" : "--group",
                                         .why = "with a test set no rows are held out",
                                         .kept = {},
                                         .hint = "--validation 0.1 beside --test"});
}

}  // namespace

double held_out_share(const Options& options, bool tested) {
  if (options.bag > 1) return 0;  // each of its networks holds out a part of its own
  if (options.validation > 0) return options.validation;
  // Who stops by a test set has none left to be judged by.
  return !tested || steers_by_held_out(options) ? kDefaultValidation : 0;
}

bool steers_by_held_out(const Options& options) { return options.early_stop > 0 || options.schedule == "plateau"; }

// What columns of times are learned from is more than a column each.
std::size_t more_numbers_of_times(const data::Table& table, const data::TargetChoice& target, const Options& inputs) {
  std::vector<bool> others(table.columns.size());
  for (const data::TargetColumn& column : target.columns) others[column.index] = true;
  for (const std::string& key : inputs.drop) others[data::resolve_column(table, key, "drop")] = true;
  for (const std::string& key : inputs.categorical) others[data::resolve_column(table, key, "categorical")] = true;
  std::size_t more = 0;
  std::string odd;
  for (std::size_t i = 0; i < others.size(); ++i) {
    const data::Column& column = table.columns[i];
    if (others[i] || !column.is_text || column.problem) continue;
    const std::vector<std::uint32_t> rows = rows_in_order(table.rows);
    const auto times =
        column.stored ? data::find_times(data::load_column(table, i), rows, odd) : data::find_times(column, rows, odd);
    if (times) more += times->parts.size() - 1;
  }
  return more;
}

// Rows from between those of training are easier to tell than those that come after them.
void note_times(const Options& options, const data::Recipe& recipe, std::vector<std::string>& notes) {
  if (options.split == "ordered" || !options.group.empty()) return;
  const auto has_date = [](const data::InputColumn& column) { return column.time == data::TimePart::year; };
  const auto dated = std::find_if(recipe.columns.begin(), recipe.columns.end(), has_date);
  if (dated == recipe.columns.end()) return;
  notes.push_back("the rows held out are of any time; if the model is for times to come, sort the file by " +
                  data::column_key(dated->name, dated->index) + " and --split ordered");
}

Source::Source(const std::string& path, const Options& options, const data::ReadHow& how, const data::Recipe* known)
    : pair(data::read_train(path, options, how)),
      target(data::choose_target(pair.train, options)),
      weights(data::row_weights(pair.train, target, options)),
      inputs(options),
      rows(pair.train.rows()),
      inputs_of(known) {
  add_read(pair.train, reads);
  for (std::string& column : data::columns_about_rows(options)) {
    notes.push_back("column " + column + " says something about the rows and is no input");
    inputs.drop.push_back(std::move(column));
  }
}

void Source::settle(Options& options) {
  const data::Table* const table = pair.train.table();
  const bool fits = inputs_of == nullptr && table != nullptr && table->sparse.empty();
  if (!fits && options.quality != "auto" && options.quality != "plain") {
    notes.push_back("quality " + options.quality + " is for tables, and this is none: nothing was chosen");
  }
  if (!fits) {
    options.quality = "plain";
    return;
  }
  const std::size_t no_inputs = target.columns.size() + inputs.drop.size();
  const std::size_t columns = table->columns.size() - std::min(no_inputs, table->columns.size() - 1);
  const TableSize size = {.rows = target.rows.size(),
                          .columns = columns + more_numbers_of_times(*table, target, inputs),
                          .outputs = std::max(target.classes.size(), target.columns.size()),
                          .classify = target.task == Task::classify};
  const std::vector<std::string> chosen = settle_quality(options, size);
  notes.insert(notes.begin(), chosen.begin(), chosen.end());
  std::vector<std::string> drop = std::move(inputs.drop);
  inputs = options;
  inputs.drop = std::move(drop);
}

data::RawData Source::take(const std::vector<std::uint32_t>& of) const {
  return of.empty() ? data::RawData() : data::take_rows(pair.train, of);
}

Prepared prepare_parts(const Source& source, data::RawData train, const data::Split& split, data::RawData held_out) {
  Prepared p;
  p.rows = source.rows;
  p.reads = source.reads;
  // Fitted on training rows alone: nothing of the others leaks into the scaling.
  p.preprocessor = data::Preprocessor::fit(train, source.target, source.inputs);
  p.notes = p.preprocessor.notes();
  p.notes.insert(p.notes.end(), source.notes.begin(), source.notes.end());
  if (source.inputs_of) {
    data::Recipe recipe = data::with_inputs_of(*source.inputs_of, p.preprocessor.recipe(), train.source, p.notes);
    p.same_outputs = data::take_targets_of(*source.inputs_of, recipe);
    p.preprocessor = data::Preprocessor(std::move(recipe));
  }
  if (held_out.rows() > 0) note_times(source.inputs, p.preprocessor.recipe(), p.notes);
  p.train_rows = row_numbers(train, data::target_names(p.preprocessor.targets()), split.train);
  p.train = p.preprocessor.apply(std::move(train), true);
  if (held_out.rows() > 0 && !source.inputs.report.empty()) {
    p.validation_rows = row_numbers(held_out, data::target_names(p.preprocessor.targets()), split.validation);
  }
  if (held_out.rows() > 0) p.validation = p.preprocessor.apply(std::move(held_out), true);
  p.train.weights = data::take(source.weights, 1, split.train);
  p.validation.weights = data::take(source.weights, 1, split.validation);
  p.split = std::to_string(p.train.rows) + " rows to train";
  if (p.validation.rows > 0) {
    p.split +=
        ", " + std::to_string(p.validation.rows) + " held out to validate (" + data::hold_out_text(source.inputs) + ")";
  }
  return p;
}

Prepared prepare(Source source, const Options& options, const data::ReadHow& how) {
  const bool tested = source.pair.test || !options.test.empty();
  const double share = held_out_share(options, tested);
  refuse_idle_split(options, share);
  const std::string weights = data::weights_column(source.pair.train, options);
  data::Split split = {source.target.rows, {}};
  data::RawData held_out, train;
  if (share > 0) {
    split = data::hold_out(source.pair.train, source.target, share, options);
    train = source.take(split.train);
    held_out = source.take(split.validation);
    source.pair.train = {};  // there is to be one copy of the data, not two
  } else {
    train = std::move(source.pair.train);
  }
  Prepared p = prepare_parts(source, std::move(train), split, std::move(held_out));
  if (tested) add_test(std::move(source.pair.test), weights, options, how, p);
  return p;
}

Prepared prepare(const std::string& path, const Options& options, const data::ReadHow& how,
                 const data::Recipe* inputs_of) {
  return prepare(Source(path, options, how, inputs_of), options, how);
}

}  // namespace halfstep::internal
