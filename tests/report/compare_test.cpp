// Metrics files read again, and the page that compares them.
#include <doctest/doctest.h>

#include "halfstep/error.hpp"
#include "report/compare_page.hpp"
#include "support/markup_check.hpp"

namespace halfstep::internal::report {
namespace {

std::string line(int epoch, double loss, const std::string& eval) {
  return "{\"epoch\":" + std::to_string(epoch) + ",\"step\":" + std::to_string(epoch * 10) +
         ",\"applied\":9,\"retried\":0,\"skipped\":1,\"split\":\"train\",\"loss\":" + std::to_string(loss) +
         ",\"lr\":0.001,\"grad_norm\":\"inf\",\"loss_scale\":1024,\"samples_per_s\":100,\"eval_loss\":" + eval + "}\n";
}

}  // namespace

TEST_CASE("metrics files: epochs, skipped steps, and a last line that is still being written") {
  const std::string text = line(1, 2, "1.5") +
                           "{\"event\":\"skipped\",\"step\":12,\"cause\":\"scale\",\"loss_scale\":2048}\n"
                           "{\"event\":\"meter\",\"step\":13}\n" +
                           line(2, 1, "0.5") + line(3, 0.9, "\"nan\"") + "{\"epoch\":4,\"st";
  const MetricsFile file = read_metrics("m.jsonl", text);
  REQUIRE(file.epochs.size() == 3);
  REQUIRE(file.incidents.size() == 1);
  CHECK(file.incidents[0].step == 12);
  const RunFigures figures = figures_of(file);
  CHECK(figures.epochs == 3);
  CHECK(figures.steps.attempted == 30);
  CHECK(figures.train_loss == 0.9);
  CHECK(figures.eval_loss != figures.eval_loss);
  CHECK(figures.best_eval_loss == 0.5);
  CHECK(figures.best_epoch == 2);
}

TEST_CASE("metrics files: what is none is refused, naming the line") {
  CHECK_THROWS_WITH_AS(read_metrics("m", ""), doctest::Contains("it has no epoch"), Error);
  CHECK_THROWS_WITH_AS(read_metrics("m", line(1, 2, "1") + "a,b\n"), doctest::Contains("line 2"), Error);
  CHECK_THROWS_WITH_AS(read_metrics("m", "{\"epoch\":\"x\"}\n"), doctest::Contains("line 1"), Error);
  CHECK_THROWS_AS(read_metrics("m", "[]\n"), Error);
  CHECK_THROWS_AS(read_metrics("m", "{}\n"), Error);
}

TEST_CASE("the page of several runs: a colour each, names escaped, within bounds") {
  std::vector<MetricsFile> files;
  for (int i = 0; i < 30; ++i) {
    std::string text;
    for (int epoch = 1; epoch <= 2000; ++epoch) text += line(epoch, 1.0 / epoch + i, std::to_string(2.0 / epoch + i));
    files.push_back(read_metrics("<script>" + std::to_string(i) + "\x1b.jsonl", text));
  }
  const std::string page = compare_page(files, "1.2.3");
  CHECK(test::MarkupCheck::problem(page) == "");
  CHECK(page.size() < 400000);
  CHECK(page.find("&lt;script&gt;29\\x1b.jsonl") != std::string::npos);
  CHECK(test::MarkupCheck::problem(compare_page({files[0]}, "1.2.3")) == "");
}

}  // namespace halfstep::internal::report
