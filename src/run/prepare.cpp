#include "run/prepare.hpp"

#include <optional>
#include <utility>

#include "data/data.hpp"
#include "data/hold_out.hpp"
#include "data/take.hpp"
#include "data/target.hpp"
#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

constexpr double kDefaultValidation = 0.1;

// The share of rows to hold out of the file: what was asked for, or what a run needs to be judged by.
double held_out_share(const Options& options, bool tested) {
  if (options.validation > 0) return options.validation;
  // Who stops by a test set has none left to be judged by.
  return !tested || options.early_stop > 0 ? kDefaultValidation : 0;
}

void add_test(std::optional<data::RawData> test, const Options& options, Prepared& p) {
  if (!options.test.empty()) test = data::read_test(options, p.preprocessor.recipe());
  const std::string source = test->source;
  std::vector<std::string> differences;
  p.test = p.preprocessor.apply(*std::move(test), true, &differences);
  for (const std::string& text : differences) p.notes.push_back("test set: " + text);
  p.split += ", " + std::to_string(p.test.rows) + " to test from " + source;
}

// A run never starts with a parameter that it ignores.
void refuse_idle_split(const Options& options, double share) {
  if (share > 0 || (options.split == "random" && options.group.empty())) return;
  throw Error(Status::invalid_argument, {.what = "these parameters do not go together",
                                         .where = options.group.empty() ? "--split" : "--group",
                                         .why = "with a test set no rows are held out",
                                         .kept = {},
                                         .hint = "--validation 0.1 beside --test"});
}

}  // namespace

Prepared prepare(const std::string& path, const Options& options) {
  data::DataPair pair = data::read_train(path, options);
  const data::TargetChoice target = data::choose_target(pair.train, options);
  Prepared p;
  p.rows = pair.train.rows();
  // What a column says about rows is known of all of them before they are divided.
  const std::vector<float> weights = data::row_weights(pair.train, target, options);
  Options inputs = options;
  for (std::string& column : data::columns_about_rows(options)) {
    p.notes.push_back("column " + column + " says something about the rows and is no input");
    inputs.drop.push_back(std::move(column));
  }
  std::vector<std::uint32_t> train_rows = target.rows, held_out_rows;
  const bool tested = pair.test || !options.test.empty();
  const double share = held_out_share(options, tested);
  refuse_idle_split(options, share);
  data::RawData held_out;
  if (share > 0) {
    const data::Split split = data::hold_out(pair.train, target, share, options);
    train_rows = split.train;
    held_out_rows = split.validation;
    data::RawData train = data::take_rows(pair.train, train_rows);
    if (!held_out_rows.empty()) held_out = data::take_rows(pair.train, held_out_rows);
    pair.train = std::move(train);  // there is to be one copy of the data, not two
  }
  // Fitted on training rows alone: nothing of the others leaks into the scaling.
  p.preprocessor = data::Preprocessor::fit(pair.train, target, inputs);
  const std::vector<std::string> notes = p.preprocessor.notes();
  p.notes.insert(p.notes.begin(), notes.begin(), notes.end());
  p.train = p.preprocessor.apply(std::move(pair.train), true);
  if (held_out.rows() > 0) p.validation = p.preprocessor.apply(std::move(held_out), true);
  if (!weights.empty()) {
    p.train.weights = data::take(weights, 1, train_rows);
    p.validation.weights = data::take(weights, 1, held_out_rows);
  }
  p.split = std::to_string(p.train.rows) + " rows to train";
  if (share > 0) {
    p.split +=
        ", " + std::to_string(p.validation.rows) + " held out to validate (" + data::hold_out_text(options) + ")";
  }
  if (tested) add_test(std::move(pair.test), options, p);
  return p;
}

}  // namespace halfstep::internal
