// A second run on all rows, for the epochs that the first found to be best.
#include "run/refit.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <string>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace refit_test {

// The last rows are held out, and nothing of the rows before goes into the inputs: the file is then the rows that the
// second run sees, in their order.
Options options_of(const test::TempDir& dir) {
  Options options;
  options.hidden = {16};
  options.task = Task::regress;
  options.standardize = "none";
  options.split = "ordered";
  options.schedule = "constant";
  options.lr = 0.01;
  options.batch = 16;
  options.epochs = 12;
  options.threads = 1;
  options.early_stop = 3;
  options.validation = 0.25;
  options.refit = true;
  options.out = dir / "m.safetensors";
  return options;
}

std::string table(const test::TempDir& dir, const char* file, int rows) {
  std::ofstream out(dir / file);
  out << "a,b,y\n";
  // The target's mean and deviation are those of the first rows too.
  for (int i = 0; i < rows; ++i) {
    out << (i * 7 % 31) / 16.0 << ',' << (i * 11 % 23) / 16.0 << ',' << (i % 4 == 0 || i % 4 == 3 ? 1 : -1) << '\n';
  }
  return dir / file;
}

std::string refusal(void (*change)(Options&)) {
  const test::TempDir dir;
  Options options = options_of(dir);
  change(options);
  try {
    validate(options);
  } catch (const Error& error) {
    return error.parts().where + ": " + error.parts().hint;
  }
  return {};
}

}  // namespace refit_test

using namespace refit_test;

TEST_SUITE("run/refit") {
  TEST_CASE("it is the run on all rows for the best epochs, to the bit") {
    const test::TempDir dir;
    const std::string data = table(dir, "d.csv", 160);
    Options options = options_of(dir);
    std::int64_t told_rows = 0, told_epochs = 0;
    TrainObserver observer;
    observer.on_refit = [&](std::int64_t rows, std::int64_t epochs) {
      told_rows = rows;
      told_epochs = epochs;
    };
    std::int64_t planned = 0;  // epochs, as the last report says
    observer.on_epoch = [&](const EpochReport& report) { planned = report.epochs; };
    const TrainResult refitted = train(data, options, observer);
    CHECK(planned == refitted.best_epoch);
    REQUIRE(refitted.best_epoch > 0);
    CHECK(refitted.best_epoch < 12);
    CHECK(refitted.refit_rows == 160);
    CHECK(refitted.refit_epochs == refitted.best_epoch);
    CHECK(told_rows == 160);
    CHECK(told_epochs == refitted.best_epoch);
    CHECK(refitted.warnings.empty());

    Options whole = options;
    whole.refit = false;
    whole.early_stop = 0;
    whole.validation = 0;
    whole.split = "random";
    whole.test = data;
    whole.epochs = refitted.best_epoch;
    whole.out = dir / "whole.safetensors";
    CHECK(train(data, whole, {}).weights_digest == refitted.weights_digest);
    CHECK(inspect(options.out).weights_digest == refitted.weights_digest);

    // What rows held out say is of the first run, and a test set judges the second.
    Options first = options;
    first.refit = false;
    first.test = options.test = data;
    const TrainResult one = train(data, first, {}), two = train(data, options, {});
    CHECK(one.eval.loss == two.eval.loss);
    CHECK(one.weights_digest != two.weights_digest);
    CHECK(evaluate(options.out, data, {}).metrics.loss == doctest::Approx(two.test.loss).epsilon(1e-12));
  }

  TEST_CASE("a second run that comes to no end leaves the model of the first") {
    const test::TempDir dir;
    const std::string data = table(dir, "d.csv", 160);
    Options options = options_of(dir);
    options.refit = false;
    const std::string first = train(data, options, {}).weights_digest;
    options.refit = true;
    bool again = false;
    TrainObserver observer;
    observer.on_refit = [&](std::int64_t, std::int64_t) { again = true; };
    observer.should_stop = [&] { return again; };
    const TrainResult result = train(data, options, observer);
    CHECK(result.stopped);
    CHECK(result.refit_rows == 0);
    CHECK(result.weights_digest == first);
    CHECK(inspect(options.out).weights_digest == first);
    REQUIRE(result.warnings.size() == 1);
    CHECK(result.warnings[0].find("that of the first run") != std::string::npos);
  }

  TEST_CASE("all rows are those of both, in every form that rows have") {
    data::Examples a, b;
    a.rows = 2;
    b.rows = 1;
    a.features = b.features = 2;
    a.x = {1, 2, 3, 4};
    b.x = {5, 6};
    a.bytes = {1, 2};
    b.bytes = {3};
    a.sparse = {{0, 1, 3}, {1, 0, 1}, {7, 8, 9}};
    b.sparse = {{0, 1}, {0}, {4}};
    a.labels = {0, 1};
    b.labels = {1};
    a.targets = {1, 2};
    b.targets = {3};
    a.exact_targets = {1, 2};
    b.exact_targets = {3};
    a.weights = {1, 2};
    b.weights = {3};
    const data::Examples all = all_rows(a, b);
    CHECK(all.rows == 3);
    CHECK(std::vector<float>(all.x.begin(), all.x.end()) == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(all.bytes.size() == 3);
    CHECK(all.sparse.offsets == std::vector<std::uint64_t>{0, 1, 3, 4});
    CHECK(all.sparse.columns == std::vector<std::uint32_t>{1, 0, 1, 0});
    CHECK(all.sparse.values == std::vector<float>{7, 8, 9, 4});
    CHECK(all.labels == std::vector<std::int32_t>{0, 1, 1});
    CHECK(all.targets == std::vector<float>{1, 2, 3});
    CHECK(all.exact_targets == std::vector<double>{1, 2, 3});
    CHECK(all.weights == std::vector<float>{1, 2, 3});
  }

  TEST_CASE("what does not go together is refused, with advice") {
    CHECK(refusal([](Options&) {}).empty());
    CHECK(refusal([](Options& o) { o.early_stop = 0; }) == "--refit: --early-stop 10");
    CHECK(refusal([](Options& o) { o.schedule = "plateau"; }) == "--refit: --schedule cosine");
    CHECK(refusal([](Options& o) { o.checkpoint_dir = "c"; }) == "--refit: leave one of them out");
    // Of a table the quality chooses when to stop.
    CHECK(refusal([](Options& o) {
            o.early_stop = 0;
            o.quality = "good";
          }).empty());
    const test::TempDir dir;
    Options options = options_of(dir);
    options.out.clear();
    CHECK_THROWS_AS(cross_validate(table(dir, "d.csv", 40), 2, options, {}), Error);
  }
}

}  // namespace halfstep::internal
