// Columns that say something about rows: weights and groups, in whole runs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace {

// `weight(i)` as text, `label(i)` of row i.
template <class Weight, class Label>
std::string table(const test::TempDir& dir, const char* file, Weight weight, Label label) {
  std::ofstream out(dir / file);
  out << "a,w,b,y\n";
  for (int i = 0; i < 150; ++i) {
    out << std::sin(i * 12.9898) << ',' << weight(i) << ',' << std::sin(i * 4.1414) << ',' << label(i) << '\n';
  }
  return dir / file;
}

Options run_of(const test::TempDir& dir) {
  Options options;
  options.target = "y";
  options.hidden = {8};
  options.epochs = 3;
  options.threads = 1;
  options.out = dir / "m.safetensors";
  return options;
}

const char* by_sign(int i) { return std::sin(i * 12.9898) > 0 ? "p" : "q"; }

}  // namespace

TEST_CASE("weights: all alike are none, a weight of 0 takes a row's label out of training and of the loss") {
  const test::TempDir dir;
  Options options = run_of(dir);
  options.drop = {"w"};
  const std::string plain = table(
      dir, "plain.csv", [](int) { return 1; }, by_sign);
  const TrainResult without = train(plain, options, {});
  options.drop.clear();
  options.weights = "w";
  std::vector<std::string> notes;
  TrainObserver observer;
  observer.on_plan = [&](const RunPlan& plan) { notes = plan.notes; };
  const TrainResult alike = train(plain, options, observer);
  CHECK(alike.weights_digest == without.weights_digest);
  CHECK(alike.eval.loss == without.eval.loss);
  CHECK(std::any_of(notes.begin(), notes.end(),
                    [](const std::string& note) { return note.find("no input") != std::string::npos; }));

  const auto every_third = [](int i) { return i % 3 == 0 ? 0 : 1 + i % 2; };
  const TrainResult right = train(table(dir, "a.csv", every_third, by_sign), options, {});
  const TrainResult wrong = train(
      table(dir, "b.csv", every_third, [](int i) { return i % 3 == 0 ? by_sign(i + 1) : by_sign(i); }), options, {});
  CHECK(right.weights_digest == wrong.weights_digest);
  CHECK(right.weights_digest != without.weights_digest);
  CHECK(right.eval.loss == wrong.eval.loss);
}

TEST_CASE("weights: a test set's own column counts, where it has one") {
  const test::TempDir dir;
  Options options = run_of(dir);
  options.weights = "w";
  const std::string data = table(
      dir, "t.csv", [](int i) { return 1 + i % 2; }, by_sign);
  const auto every_third = [](int i) { return i % 3 == 0 ? 0 : 1; };
  options.test = table(dir, "right.csv", every_third, by_sign);
  const TrainResult right = train(data, options, {});
  // Rows that do not count may say what they like; rows without a target are not there.
  std::ofstream(options.test, std::ios::app) << "0.5,1,0.5,\n";
  CHECK(train(data, options, {}).eval.loss == right.eval.loss);
  options.test = table(dir, "wrong.csv", every_third, [](int i) { return i % 3 == 0 ? by_sign(i + 1) : by_sign(i); });
  CHECK(train(data, options, {}).eval.loss == right.eval.loss);
  options.test = table(
      dir, "alike.csv", [](int) { return 1; }, by_sign);
  const double alike = train(data, options, {}).eval.loss;
  CHECK(alike != right.eval.loss);
  std::ofstream bare(dir / "bare.csv");
  bare << "a,b,y\n";
  for (int i = 0; i < 150; ++i) {
    bare << std::sin(i * 12.9898) << ',' << std::sin(i * 4.1414) << ',' << by_sign(i) << '\n';
  }
  bare.close();
  options.test = dir / "bare.csv";
  std::vector<std::string> notes;
  TrainObserver observer;
  observer.on_plan = [&](const RunPlan& plan) { notes = plan.notes; };
  CHECK(train(data, options, observer).eval.loss == alike);
  CHECK(std::any_of(notes.begin(), notes.end(),
                    [](const std::string& note) { return note.find("count alike") != std::string::npos; }));
}

TEST_CASE("a model that was trained with weights and groups predicts without their columns") {
  const test::TempDir dir;
  Options options = run_of(dir);
  options.weights = "w";
  const std::string data = table(
      dir, "t.csv", [](int i) { return 1 + i % 2; }, by_sign);
  train(data, options, {});
  std::ofstream(dir / "new.csv") << "a,b\n0.5,0.25\n-0.5,0.125\n";
  CHECK(predict(options.out, dir / "new.csv", {}).predicted.size() == 2);
  options.weights.clear();
  options.group = "w";
  const TrainResult grouped = train(data, options, {});
  CHECK(grouped.eval.rows == 75);  // one of two groups of 75
  CHECK(predict(options.out, dir / "new.csv", {}).predicted.size() == 2);
}

TEST_CASE("a way to hold rows out is refused where none are") {
  const test::TempDir dir;
  Options options = run_of(dir);
  options.test = table(
      dir, "test.csv", [](int) { return 1; }, by_sign);
  options.split = "ordered";
  try {
    train(options.test, options, {});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.status() == Status::invalid_argument);
    CHECK(std::string(error.what()).find("--validation") != std::string::npos);
  }
  options.validation = 0.2;  // the advice
  CHECK(train(options.test, options, {}).eval.rows == 30);
}

}  // namespace halfstep::internal
