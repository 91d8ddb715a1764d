// Rows that a model has no finite output for: no class, never right, and said.
#include <doctest/doctest.h>

#include <charconv>
#include <cmath>

#include "halfstep/jobs.hpp"
#include "io/safetensors.hpp"
#include "io/temp_dir.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal {
namespace {

// Rows of two numbers; `target` gives the third column.
template <class F>
void write_table(const std::string& path, int rows, F target, const std::string& more = "") {
  std::string text = "a,b,y\n";
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i % 13) + "," + std::to_string(i * 7 % 11) + "," + target(i) + "\n";
  }
  test::write_bytes(path, text + more);
}

std::string class_of(int i) { return i % 2 == 0 ? "up" : "down"; }
std::string number_of(int i) { return std::to_string(i * i % 37) + ".25"; }

Options run_in(const test::TempDir& dir, Dtype precision) {
  Options options;
  options.out = dir / "m.safetensors";
  options.hidden = {8};
  options.steps = 20;
  options.threads = 1;
  options.precision = precision;
  options.standardize = "none";
  return options;
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("classification: a row beyond fp16 has no class, and is never right") {
  const test::TempDir dir;
  write_table(dir / "train.csv", 60, class_of);
  const std::string far = "1e6,1,up\n1e6,1,down\n";
  write_table(dir / "new.csv", 5, class_of, far);
  for (const char* loss : {"cross_entropy", "binary_cross_entropy"}) {
    CAPTURE(loss);
    Options options = run_in(dir, Dtype::fp16);
    options.loss = loss;
    train(dir / "train.csv", options, {});
    const Predictions p = predict(options.out, dir / "new.csv", {});
    REQUIRE(p.predicted.size() == 7);
    CHECK(p.non_finite == std::vector<std::int64_t>{5, 6});
    CHECK(p.predicted[4] != "");
    CHECK(p.predicted[5] == "");
    for (std::size_t i = 10; i < 14; ++i) CHECK(std::isnan(p.values[i]));
    REQUIRE(p.warnings.size() == 1);
    CHECK(says(p.warnings[0], "2 of 7 rows have no finite output (rows 6, 7): fp16 holds up to 65504"));
    CHECK(says(p.warnings[0], "--precision bf16"));
    const Evaluation e = evaluate(options.out, dir / "new.csv", {});
    CHECK(e.metrics.non_finite == 2);
    CHECK(e.metrics.accuracy <= 5.0 / 7);
    CHECK(std::isnan(e.metrics.loss));
    CHECK(says(e.warnings.at(0), "2 of 7 rows"));
    write_table(dir / "far.csv", 0, class_of, far);
    CHECK(evaluate(options.out, dir / "far.csv", {}).metrics.accuracy == 0);

    // The advice works.
    options.precision = Dtype::bf16;
    train(dir / "train.csv", options, {});
    CHECK(predict(options.out, dir / "new.csv", {}).warnings.empty());
    options.precision = Dtype::fp16;
    options.standardize = "auto";
    train(dir / "train.csv", options, {});
    const Predictions better = predict(options.out, dir / "new.csv", {});
    CHECK(better.non_finite.empty());
    CHECK(better.warnings.empty());
    CHECK(evaluate(options.out, dir / "new.csv", {}).metrics.non_finite == 0);
  }
}

TEST_CASE("regression: a row beyond fp16 has no value") {
  const test::TempDir dir;
  write_table(dir / "train.csv", 60, number_of);
  write_table(dir / "new.csv", 2, number_of, "1e6,1,3.5\n");
  const Options options = run_in(dir, Dtype::fp16);
  train(dir / "train.csv", options, {});
  const Predictions p = predict(options.out, dir / "new.csv", {});
  CHECK(p.non_finite == std::vector<std::int64_t>{2});
  CHECK_FALSE(std::isfinite(p.values[2]));
  CHECK((p.predicted[2] == "nan" || says(p.predicted[2], "inf")));
  const Metrics m = evaluate(options.out, dir / "new.csv", {}).metrics;
  CHECK(m.non_finite == 1);
  CHECK_FALSE(std::isfinite(m.rmse));
  CHECK(std::isnan(m.r2));
}

TEST_CASE("many such rows: the first ten are named; a damaged weight is") {
  const test::TempDir dir;
  write_table(dir / "train.csv", 60, class_of);
  const Options options = run_in(dir, Dtype::bf16);
  train(dir / "train.csv", options, {});
  io::File file = io::read_safetensors(options.out);
  std::vector<float> bias(file.find("layers.1.bias")->bytes.size() / sizeof(float), std::nanf(""));
  for (io::Tensor& t : file.tensors) {
    if (t.name == "layers.1.bias") t.bytes = std::as_bytes(std::span(bias));
  }
  io::write_safetensors(dir / "bad.safetensors", file);
  const Predictions p = predict(dir / "bad.safetensors", dir / "train.csv", {});
  CHECK(p.non_finite.size() == 60);
  CHECK(
      says(p.warnings.at(0), "(rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 50 more): a weight of the model is inf or NaN"));
}

TEST_CASE("an infinite weight is told, where an activation hides it too") {
  const test::TempDir dir;
  write_table(dir / "train.csv", 60, class_of);
  const Options options = run_in(dir, Dtype::bf16);
  train(dir / "train.csv", options, {});
  SavedModel model = load_model(options.out);
  REQUIRE(model.tensors[1].name == "layers.0.bias");
  model.tensors[1].values[3] = -HUGE_VALF;  // ReLU makes 0 of it
  save_model(options.out, model);
  const Predictions p = predict(options.out, dir / "train.csv", {});
  CHECK(p.non_finite.empty());
  REQUIRE(p.warnings.size() == 1);
  CHECK(says(p.warnings[0], "weights of the model are inf or NaN: layers.0.bias has 1 of them"));
  CHECK(evaluate(options.out, dir / "train.csv", {}).warnings == p.warnings);
}

TEST_CASE("regression far from zero: predictions are as exact as evaluate says") {
  const test::TempDir dir;
  std::vector<double> truths;
  for (const double shift : {0.0, 1.7e9, 1e15}) {
    CAPTURE(shift);
    truths.clear();
    write_table(dir / "train.csv", 200, [&](int i) {
      truths.push_back(shift + (i % 13) * 4 - (i * 7 % 11) + (i % 2 == 0 ? 0.5 : 0));
      char text[40];
      return std::string(text, std::to_chars(text, text + sizeof(text), truths.back(), std::chars_format::fixed).ptr);
    });
    Options options = run_in(dir, Dtype::fp32);
    options.standardize = "auto";
    options.task = Task::regress;
    options.steps = 300;
    options.lr = 0.01;
    train(dir / "train.csv", options, {});
    const Predictions p = predict(options.out, dir / "train.csv", {});
    const Metrics m = evaluate(options.out, dir / "train.csv", {}).metrics;
    long double squares = 0;
    for (std::size_t i = 0; i < truths.size(); ++i) {
      const long double d = static_cast<long double>(p.values[i]) - static_cast<long double>(truths[i]);
      squares += d * d / static_cast<long double>(truths.size());
      double read = 0;
      std::from_chars(p.predicted[i].data(), p.predicted[i].data() + p.predicted[i].size(), read);
      CHECK(read == p.values[i]);
    }
    const double spacing = shift == 1e15 ? 0.125 : 0;  // of doubles there
    CHECK(std::abs(m.rmse - static_cast<double>(std::sqrt(squares))) <= 1e-6 * m.rmse + spacing);
    CHECK(m.rmse < 2);
    CHECK(m.r2 > 0.98);
    CHECK(m.r2 < 1);
  }
}

TEST_CASE("regression on one value: r2 is not defined") {
  const test::TempDir dir;
  write_table(dir / "train.csv", 60, number_of);
  write_table(dir / "same.csv", 7, [](int) { return "3.25"; });
  const Options options = run_in(dir, Dtype::fp32);
  train(dir / "train.csv", options, {});
  const Metrics m = evaluate(options.out, dir / "same.csv", {}).metrics;
  CHECK(std::isnan(m.r2));
  CHECK(m.rmse > 0);
}

}  // namespace halfstep::internal
