// Cross-validation as a whole.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "data/data.hpp"
#include "data/folds.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace {

std::string line_of(int i) {
  const double a = std::sin(i * 12.9898), b = std::sin(i * 4.1414);
  return std::to_string(a) + "," + std::to_string(b) + "," + std::to_string(1 + i % 3) + "," +
         (a + b > 0 ? "yes" : "no") + "\n";
}

std::string write_rows(const test::TempDir& dir, const char* file, const std::vector<std::uint32_t>& rows) {
  std::ofstream out(dir / file);
  out << "a,b,w,y\n";
  for (const std::uint32_t row : rows) out << line_of(static_cast<int>(row));
  return dir / file;
}

Options small_run(const test::TempDir&) {
  Options options;
  options.target = "y";
  options.hidden = {8};
  options.epochs = 4;
  options.threads = 1;
  return options;
}

}  // namespace

TEST_CASE("cv: each fold is what training on its rows and testing on the others gives") {
  const test::TempDir dir;
  std::vector<std::uint32_t> all(90);
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  const std::string data = write_rows(dir, "all.csv", all);
  Options options = small_run(dir);
  for (const char* split : {"random", "ordered"}) {
    options.split = split;
    std::vector<std::size_t> seen;
    FoldObserver observer;
    observer.on_fold = [&](const CrossValidation& so_far) { seen.push_back(so_far.folds.size()); };
    const CrossValidation result = cross_validate(data, 3, options, observer);
    CHECK(seen == std::vector<std::size_t>{1, 2, 3});
    REQUIRE(result.folds.size() == 3);
    CHECK(result.classification);
    const data::RawData raw = std::move(data::read_train(data, options).train);
    const auto folds = data::folds_of(raw, data::choose_target(raw, options), 3, options);
    for (std::size_t f = 0; f < folds.size(); ++f) {
      Options one = small_run(dir);
      one.out = dir / "m.safetensors";
      one.test = write_rows(dir, "test.csv", folds[f].validation);
      const TrainResult by_hand = train(write_rows(dir, "train.csv", folds[f].train), one, {});
      CHECK(result.folds[f].held_out.rows == static_cast<std::int64_t>(folds[f].validation.size()));
      CHECK(result.folds[f].held_out.loss == by_hand.eval.loss);
      CHECK(result.folds[f].held_out.roc_auc == by_hand.eval.roc_auc);
    }
  }
}

TEST_CASE("cv: early stop holds rows out of the training part; weights and groups go along; a stop ends it") {
  const test::TempDir dir;
  std::vector<std::uint32_t> all(120);
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  const std::string data = write_rows(dir, "all.csv", all);
  Options options = small_run(dir);
  options.early_stop = 2;
  options.validation = 0.25;
  options.weights = "w";
  const CrossValidation result = cross_validate(data, 4, options);
  for (const Fold& fold : result.folds) {
    CHECK(fold.held_out.rows == 30);
    CHECK(fold.train_rows == 67);  // of 90, less a quarter
    CHECK(fold.best_epoch > 0);
  }
  options.weights.clear();
  options.early_stop = 0;
  options.validation = 0;
  options.group = "w";
  for (const Fold& fold : cross_validate(data, 3, options).folds) CHECK(fold.held_out.rows == 40);
  FoldObserver observer;
  int steps = 0;
  observer.should_stop = [&] { return ++steps > 10; };
  CHECK(cross_validate(data, 3, options, observer).folds.size() == 1);
}

TEST_CASE("cv: what it would ignore is refused") {
  const test::TempDir dir;
  for (const char* parameter : {"test", "out", "metrics", "report", "validation"}) {
    Options options = small_run(dir);
    set_option(options, parameter, std::string(parameter) == "validation" ? "0.2" : "file");
    try {
      cross_validate("builtin:spirals", 3, options);
      FAIL("no error");
    } catch (const Error& error) {
      CHECK(error.status() == Status::invalid_argument);
      CHECK(error.parts().where == "--" + std::string(parameter));
    }
  }
  CHECK_THROWS_AS(cross_validate("builtin:spirals", 1, small_run(dir)), Error);
}

}  // namespace halfstep::internal
