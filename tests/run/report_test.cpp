// Reports of real runs: what they say is what the run was, and they cost the run nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/text.hpp"
#include "io/temp_dir.hpp"
#include "report/markup.hpp"
#include "report/run_page.hpp"
#include "run/row_numbers.hpp"
#include "support/markup_check.hpp"

namespace halfstep::internal {
namespace {

Options reported_run(const test::TempDir& dir) {
  Options options;
  options.out = dir / "m.safetensors";
  options.report = dir / "r.html";
  options.hidden = {12, 8};
  options.epochs = 3;
  options.threads = 1;
  return options;
}

bool page_has(const std::string& page, const std::string& text) {
  return page.find(report::words(text).text) != std::string::npos;
}

std::string read_page(const Options& options) {
  std::string page = test::read_bytes(options.report);
  CHECK(test::MarkupCheck::problem(page) == "");
  CHECK(page.size() < 400000);
  CHECK(page.find("http") == page.find("http-equiv"));  // nothing is fetched
  return page;
}

// Each number of the result, to its last digit, is in the table of all metrics.
void check_metrics(const std::string& page, const Metrics& m) {
  for (std::size_t i = 0; i < report::kMetrics; ++i) {
    const auto kind = static_cast<MetricKind>(i);
    if (!applies_to(kind, m.classification)) continue;
    CAPTURE(name(kind));
    CHECK(page_has(page, number_text(value_of(m, kind))));
  }
}

}  // namespace

TEST_CASE("report: a classification, with the figures of the run and the same weights as without") {
  const test::TempDir dir;
  Options options = reported_run(dir);
  options.command = "halfstep train 'a <b>'";
  options.metrics = dir / "m.jsonl";
  const TrainResult result = train("builtin:spirals", options, {});
  const std::string page = read_page(options);
  CHECK(result.report == options.report);
  CHECK(result.warnings.empty());
  check_metrics(page, result.eval);
  for (const char* part : {"builtin:spirals", "How it went", "Reliability", "Which are taken for which", "Each class",
                           "What it goes by", "Rows it gets most wrong", "What the storage types keep",
                           "layers.0.output", "Configuration", "--hidden", "12,8", "halfstep train 'a <b>'"}) {
    CAPTURE(part);
    CHECK(page_has(page, part));
  }
  for (const std::int64_t count : result.eval.confusion) CHECK(page_has(page, std::to_string(count)));
  CHECK(page_has(page, result.weights_digest));
  CHECK(result.meter.step == 0);  // the report's own readings are nobody else's
  const std::string lines = test::read_bytes(options.metrics);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 3);
  options.report.clear();
  CHECK(train("builtin:spirals", options, {}).weights_digest == result.weights_digest);
}

TEST_CASE("report: a regression") {
  const test::TempDir dir;
  const Options options = reported_run(dir);
  const TrainResult result = train("builtin:regression", options, {});
  const std::string page = read_page(options);
  check_metrics(page, result.eval);
  for (const char* part : {"Predicted against true", "Predicted minus true", "RMSE, held out", "What it goes by",
                           "Mean of its predictions of y"}) {
    CAPTURE(part);
    CHECK(page_has(page, part));
  }
  CHECK(!page_has(page, "Reliability"));
}

TEST_CASE("report: an fp16 run that overflowed at first shows each skip and why") {
  const test::TempDir dir;
  Options options = reported_run(dir);
  options.precision = Dtype::fp16;
  options.loss_scale = "dynamic";
  options.scale_init = 16777216;
  const TrainResult result = train("builtin:digits", options, {});
  REQUIRE(result.steps.skipped >= 2);
  const std::string page = read_page(options);
  std::size_t marks = 0;
  for (std::size_t at = page.find("<circle class=\"fill bad\""); at != std::string::npos;
       at = page.find("<circle class=\"fill bad\"", at + 1)) {
    ++marks;
  }
  CHECK(marks == static_cast<std::size_t>(result.steps.skipped));
  for (const LedgerEntry& entry : result.ledger) CHECK(page_has(page, text(entry)));
  CHECK(page_has(page, "step 1 skipped: " + std::string(explain(StepCause::scale)) +
                           " in layers.2.d, at loss scale 16\u202f777\u202f216"));
  CHECK(page_has(page, "step 2 skipped: " + std::string(explain(StepCause::scale)) +
                           " in layers.2.d, at loss scale 8\u202f388\u202f608"));
}

TEST_CASE("report: a run that diverges has one, and it says why") {
  const test::TempDir dir;
  Options options = reported_run(dir);
  options.precision = Dtype::fp16;
  options.optimizer = OptimizerKind::sgd;
  options.lr = 1e4;
  std::string said;
  try {
    train("builtin:spirals", options, {});
  } catch (const Error& error) {
    CHECK(error.status() == Status::diverged);
    said = error.what();
  }
  REQUIRE(!said.empty());
  const std::string page = read_page(options);
  CHECK(page_has(page, said));
  CHECK(page_has(page, "diverged: there is no model"));
}

TEST_CASE("report: names that hold HTML or commands for a terminal are text") {
  const test::TempDir dir;
  Options options = reported_run(dir);
  const std::string evil = "<script>alert(1)</script>\x1b]0;x\x07";
  std::string table = "a" + evil + ",b&amp;<img src=x onerror=y>,y'\"" + evil + "\n";
  for (int i = 0; i < 120; ++i) {
    table +=
        std::to_string(i * 37 % 101) + ",k" + std::to_string(i % 3) + "<b>,c" + std::to_string(i % 2) + evil + "\n";
  }
  const std::string path = dir / "<i>&.csv";
  test::write_bytes(path, table);
  options.test = path;
  train(path, options, {});
  const std::string page = read_page(options);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("<img") == std::string::npos);
  CHECK(page_has(page, "a<script>alert(1)</script>\\x1b]0;x\\x07"));
}

TEST_CASE("report: 10,000 steps, wide and deep, stay within the size") {
  const test::TempDir dir;
  Options options = reported_run(dir);
  options.hidden = {8, 8, 8, 8, 8, 8};
  options.epochs = 0;
  options.steps = 10000;
  options.batch = 4;
  options.precision = Dtype::fp16;
  options.meter_every = 100;
  std::string table;
  for (int c = 0; c < 60; ++c) table += "a column with a name that is rather long " + std::to_string(c) + ",";
  table += "y\n";
  for (int i = 0; i < 900; ++i) {
    for (int c = 0; c < 60; ++c) table += std::to_string((i * (c + 3)) % 97) + ",";
    table += "class number " + std::to_string(i % 30) + "\n";
  }
  const std::string path = dir / "wide.csv";
  test::write_bytes(path, table);
  train(path, options, {});
  const std::string page = read_page(options);
  CHECK(page_has(page, "10\u202f000 steps"));
  MESSAGE("bytes: " << page.size());
}

TEST_CASE("report: a run outlives its report, and says that it is lost") {
  const test::TempDir dir;
  Options options = reported_run(dir);
  std::filesystem::create_directory(dir / "gone");
  options.report = dir / "gone/r.html";
  std::vector<std::string> said;
  TrainObserver observer;
  observer.on_epoch = [&](const EpochReport&) { std::filesystem::remove_all(dir / "gone"); };
  observer.on_warning = [&](const std::string& warning) { said.push_back(warning); };
  const TrainResult result = train("builtin:spirals", options, observer);
  REQUIRE(said.size() == 1);
  CHECK(result.warnings == said);
  CHECK(result.report.empty());
  CHECK(said[0].find("cannot write the report") != std::string::npos);
  CHECK(inspect(options.out).weights_digest == result.weights_digest);
}

TEST_CASE("report: a path that cannot be written is refused before the first step") {
  const test::TempDir dir;
  Options options = reported_run(dir);
  options.report = dir / "missing/r.html";
  CHECK_THROWS_AS(train("builtin:spirals", options, {}), Error);
  options.report = options.out;
  CHECK_THROWS_AS(train("builtin:spirals", options, {}), Error);
  CHECK(!std::filesystem::exists(options.out));
}

TEST_CASE("report: rows are named by their lines, without those that have no target") {
  data::Table table;
  table.rows = 4;
  table.lines = {2, 3, 5, 9};
  data::Column column;
  column.name = "y";
  column.numbers = {1, std::nan(""), 3, 4};
  table.columns.push_back(column);
  const RowNumbers lines = row_numbers({"t", table}, {"y"}, {});
  CHECK(lines.text(0) == "line 2");
  CHECK(lines.text(1) == "line 5");
  CHECK(lines.text(2) == "line 9");
  table.lines.clear();
  const std::uint32_t chosen[] = {10, 20, 30, 40};
  const RowNumbers rows = row_numbers({"t", table}, {"y"}, chosen);
  CHECK(rows.text(0) == "row 11");
  CHECK(rows.text(1) == "row 31");
}

}  // namespace halfstep::internal
