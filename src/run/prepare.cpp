#include "run/prepare.hpp"

#include <utility>

#include "data/data.hpp"
#include "data/split.hpp"
#include "data/target.hpp"
#include "halfstep/error.hpp"

namespace halfstep::internal {
namespace {

constexpr double kDefaultValidation = 0.1;

// A test set of its own: options.test, or the test part of the data.
void prepare_test(data::DataPair pair, const data::TargetChoice& target, const Options& options, Prepared& p) {
  p.preprocessor = data::Preprocessor::fit(pair.train, target, options);
  p.notes = p.preprocessor.notes();
  if (!options.test.empty()) pair.test = data::read_test(options, p.preprocessor.recipe());
  const std::string source = pair.test->source;
  p.train = p.preprocessor.apply(std::move(pair.train), true);
  std::vector<std::string> differences;
  p.eval = p.preprocessor.apply(*std::move(pair.test), true, &differences);
  for (const std::string& text : differences) p.notes.push_back("test set: " + text);
  p.eval_name = "test";
  p.split = std::to_string(p.train.rows) + " rows to train, " + std::to_string(p.eval.rows) + " to test from " + source;
}

void prepare_validation(data::DataPair pair, const data::TargetChoice& target, const Options& options, Prepared& p) {
  const double share = options.validation > 0 ? options.validation : kDefaultValidation;
  const data::Split split = data::split_rows(target, share, options.seed);
  data::RawData train = data::take_rows(pair.train, split.train);
  data::RawData held_out = data::take_rows(pair.train, split.validation);
  pair = {};  // there is to be one copy of the data, not three
  // Fitted on training rows alone: nothing of the others leaks into the scaling.
  p.preprocessor = data::Preprocessor::fit(train, target, options);
  p.notes = p.preprocessor.notes();
  p.train = p.preprocessor.apply(std::move(train), true);
  if (!split.validation.empty()) p.eval = p.preprocessor.apply(std::move(held_out), true);
  p.eval_name = p.eval.rows > 0 ? "validation" : "";
  p.split = std::to_string(p.train.rows) + " rows to train, " + std::to_string(p.eval.rows) +
            " held out to validate (seed " + std::to_string(options.seed) + ")";
}

}  // namespace

Prepared prepare(const std::string& path, const Options& options) {
  data::DataPair pair = data::read_train(path, options);
  const data::TargetChoice target = data::choose_target(pair.train, options);
  Prepared p;
  p.rows = pair.train.rows();
  if (pair.test && options.validation > 0) {
    throw Error(Status::invalid_argument, {.what = "both a test set and a validation share",
                                           .where = "--validation",
                                           .why = "a run reports on one held-out set",
                                           .kept = {},
                                           .hint = "leave out --validation or --test"});
  }
  const bool tested = pair.test || !options.test.empty();
  tested ? prepare_test(std::move(pair), target, options, p) : prepare_validation(std::move(pair), target, options, p);
  return p;
}

}  // namespace halfstep::internal
