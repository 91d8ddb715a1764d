#include "run/prepare.hpp"

#include <optional>
#include <utility>

#include "data/data.hpp"
#include "data/split.hpp"
#include "data/target.hpp"

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

}  // namespace

Prepared prepare(const std::string& path, const Options& options) {
  data::DataPair pair = data::read_train(path, options);
  const data::TargetChoice target = data::choose_target(pair.train, options);
  Prepared p;
  p.rows = pair.train.rows();
  const bool tested = pair.test || !options.test.empty();
  const double share = held_out_share(options, tested);
  data::RawData held_out;
  if (share > 0) {
    const data::Split split = data::split_rows(target, share, options.seed);
    data::RawData train = data::take_rows(pair.train, split.train);
    if (!split.validation.empty()) held_out = data::take_rows(pair.train, split.validation);
    pair.train = std::move(train);  // there is to be one copy of the data, not two
  }
  // Fitted on training rows alone: nothing of the others leaks into the scaling.
  p.preprocessor = data::Preprocessor::fit(pair.train, target, options);
  p.notes = p.preprocessor.notes();
  p.train = p.preprocessor.apply(std::move(pair.train), true);
  if (held_out.rows() > 0) p.validation = p.preprocessor.apply(std::move(held_out), true);
  p.split = std::to_string(p.train.rows) + " rows to train";
  if (share > 0) {
    p.split +=
        ", " + std::to_string(p.validation.rows) + " held out to validate (seed " + std::to_string(options.seed) + ")";
  }
  if (tested) add_test(std::move(pair.test), options, p);
  return p;
}

}  // namespace halfstep::internal
