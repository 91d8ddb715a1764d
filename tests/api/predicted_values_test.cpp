// Predicted values and every metric against a calculation that shares nothing with the library but the model file.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "api/plain_model.hpp"
#include "api/plain_table.hpp"
#include "halfstep/jobs.hpp"

namespace halfstep::internal {
namespace {

using test::PlainRow;

struct Case {
  const char* name;
  bool regress;
  std::size_t classes;
  std::vector<std::pair<const char*, const char*>> options;
  double smoothing = 0;
  std::vector<double> weights = {};  // of each class
  double tolerance = 1e-5;           // of probabilities and of standardised values
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list = {
      {"cross-entropy", false, 3, {{"hidden", "7,5"}, {"activation", "gelu"}}},
      {"cross-entropy with smoothing, class weights and LayerNorm",
       false,
       3,
       {{"norm", "layer"}, {"label-smoothing", "0.2"}, {"class-weights", "yes=2,no=0.5"}, {"activation", "tanh"}},
       0.2,
       {1, 0.5, 2}},
      {"binary cross-entropy, one output",
       false,
       2,
       {{"loss", "binary_cross_entropy"}, {"norm", "rms"}, {"activation", "silu"}}},
      {"binary cross-entropy, three outputs, BatchNorm and skips",
       false,
       3,
       {{"loss", "binary_cross_entropy"}, {"norm", "batch"}, {"hidden", "8,8"}, {"residual", "true"}}},
      {"no hidden layer", false, 2, {{"hidden", "none"}}},
      {"mean squared error", true, 2, {{"activation", "softplus"}}},
      {"Huber and BatchNorm",
       true,
       2,
       {{"loss", "huber"}, {"huber-delta", "0.5"}, {"norm", "batch"}, {"activation", "elu"}}},
      {"bf16", false, 3, {{"precision", "bf16"}}, 0, {}, 0.02},
      {"fp16", true, 2, {{"precision", "fp16"}, {"hidden", "9,4"}}, 0, {}, 0.005},
  };
  return list;
}

std::vector<std::string> class_names(std::size_t classes) {
  return classes == 3 ? std::vector<std::string>{"maybe", "no", "yes"} : std::vector<std::string>{"no", "yes"};
}

std::size_t label_of(const PlainRow& row, std::size_t classes) {
  const std::vector<std::string> names = class_names(classes);
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), row.label) - names.begin());
}

// What a data set must come to.
struct Expected {
  std::vector<double> values;  // probabilities [rows][classes], or values in target units
  std::vector<std::string> predicted;
  double loss = 0, accuracy = 0, rmse = 0, r2 = 0;
};

// Adds -log of each probability as the truth has it, and its weight.
void add_cross_entropy(const Case& c, const std::vector<double>& p, std::size_t label, double& sum, double& weights) {
  const auto weight = [&](std::size_t i) { return c.weights.empty() ? 1 : c.weights[i]; };
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double truth = (i == label ? 1 - c.smoothing : 0) + c.smoothing / static_cast<double>(p.size());
    sum -= weight(i) * truth * std::log(p[i]);
  }
  weights += weight(label);
}

Expected classes_of(const Case& c, bool binary, const std::vector<std::vector<double>>& logits,
                    const std::vector<PlainRow>& rows) {
  Expected out;
  const std::vector<std::string> names = class_names(c.classes);
  double weights = 0, right = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::vector<double> p;
    double sum = 0;
    for (const double z : logits[r]) p.push_back(binary ? 1 / (1 + std::exp(-z)) : std::exp(z));
    for (const double e : p) sum += binary ? 0 : e;
    for (double& e : p) e /= binary ? 1 : sum;
    if (p.size() == 1) p = {1 - p[0], p[0]};
    const std::size_t label = label_of(rows[r], c.classes);
    if (!binary) add_cross_entropy(c, p, label, out.loss, weights);
    // The mean over the outputs; of two probabilities that add up to 1 there is one output.
    for (std::size_t i = 0; binary && i < p.size(); ++i) {
      out.loss -= std::log(i == label ? p[i] : 1 - p[i]) / static_cast<double>(p.size());
    }
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    right += best == label ? 1 : 0;
    out.predicted.push_back(names[best]);
    out.values.insert(out.values.end(), p.begin(), p.end());
  }
  out.loss /= binary ? static_cast<double>(rows.size()) : weights;
  out.accuracy = right / static_cast<double>(rows.size());
  return out;
}

Expected values_of(const Options& options, const std::vector<std::vector<double>>& outputs,
                   const std::vector<PlainRow>& train, const std::vector<PlainRow>& rows) {
  std::vector<double> train_values, truths;
  for (const PlainRow& row : train) train_values.push_back(row.value);
  for (const PlainRow& row : rows) truths.push_back(row.value);
  const test::PlainMoments units(train_values), spread(truths);
  const auto n = static_cast<double>(rows.size());
  Expected out;
  double squares = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const double value = outputs[r][0] * units.deviation + units.mean, error = value - truths[r];
    const double e = std::fabs(error) / units.deviation, delta = options.huber_delta;
    out.values.push_back(value);
    squares += error * error;
    out.loss += (options.loss != "huber" ? e * e : e <= delta ? e * e / 2 : delta * (e - delta / 2)) / n;
  }
  out.rmse = std::sqrt(squares / n);
  out.r2 = 1 - squares / (n * spread.deviation * spread.deviation);
  return out;
}

Expected calculate(const Case& c, const Options& options, const std::vector<PlainRow>& train,
                   const std::vector<PlainRow>& rows) {
  const bool binary = options.loss == "binary_cross_entropy";
  const std::size_t outputs = c.regress || (binary && c.classes == 2) ? 1 : c.classes;
  const test::ReferenceMlp network =
      test::plain_network(test::read_plain_tensors(options.out), options, test::kPlainInputs, outputs);
  const std::vector<std::vector<double>> logits =
      network.forward(test::plain_inputs(train, rows), rows.size()).back().y;
  return c.regress ? values_of(options, logits, train, rows) : classes_of(c, binary, logits, rows);
}

void check_metrics(const Case& c, const Metrics& metrics, const Expected& expected, std::size_t rows, double unit) {
  CHECK(metrics.rows == static_cast<std::int64_t>(rows));
  CHECK(metrics.non_finite == 0);
  CHECK(metrics.classification == !c.regress);
  CHECK(metrics.loss == doctest::Approx(expected.loss).epsilon(10 * c.tolerance));
  if (!c.regress) CHECK(metrics.accuracy == expected.accuracy);
  if (c.regress) CHECK(std::fabs(metrics.rmse - expected.rmse) <= c.tolerance * unit);
  if (c.regress) CHECK(std::fabs(metrics.r2 - expected.r2) <= 2 * c.tolerance);
}

void check_predictions(const Case& c, const Predictions& predictions, const Expected& expected, double unit) {
  REQUIRE(predictions.values.size() == expected.values.size());
  CHECK(predictions.non_finite.empty());
  double worst = 0;
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    worst = std::max(worst, std::fabs(predictions.values[i] - expected.values[i]));
  }
  CHECK(worst <= c.tolerance * unit);
  CHECK(worst > 0);  // arithmetic in fp32 and in double differ somewhere
  if (c.regress) return;
  CHECK(predictions.classes == class_names(c.classes));
  CHECK(predictions.predicted == expected.predicted);
}

struct Files {
  test::TempDir dir;
  std::vector<PlainRow> train, test;
  std::string data = dir / "train.csv";
  Options options;

  explicit Files(const Case& c)
      : train(test::plain_rows(60, 0, c.classes)), test(test::plain_rows(31, 100, c.classes)) {
    test::write_bytes(data, test::table_text(train, c.regress));
    options.test = dir / "test.csv";
    test::write_bytes(options.test, test::table_text(test, c.regress));
    options.out = dir / "m.safetensors";
    options.task = c.regress ? Task::regress : Task::classify;
    options.hidden = {7};
    options.precision = Dtype::fp32;
    options.steps = 30;
    options.batch = 20;
    options.lr = 0.02;
    for (const auto& [name, value] : c.options) set_option(options, name, value);
  }
  // What an error in standardised units is worth in those of the target.
  double unit(const Case& c) const {
    std::vector<double> values;
    for (const PlainRow& row : train) values.push_back(row.value);
    return c.regress ? test::PlainMoments(values).deviation : 1;
  }
};

}  // namespace

TEST_CASE("predicted values and metrics are those of the network in the file, calculated in double") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const Files files(c);
    const TrainResult result = train(files.data, files.options, {});
    const Expected expected = calculate(c, files.options, files.train, files.test);
    CHECK(result.eval_name == "test");
    check_metrics(c, result.eval, expected, files.test.size(), files.unit(c));
    const Options reading;
    check_metrics(c, evaluate(files.options.out, files.options.test, reading).metrics, expected, files.test.size(),
                  files.unit(c));
    check_predictions(c, predict(files.options.out, files.options.test, reading), expected, files.unit(c));
    if (!c.regress) CHECK((expected.accuracy > 0.3 && expected.accuracy < 1));  // neither is told by chance
  }
}

TEST_CASE("the loss of training is the mean over the rows that were trained on") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Files files(c);
    if (files.options.norm == Norm::batch) continue;  // trains by other statistics than it evaluates by
    files.options.lr = 1e-30;                         // weights stay what they are
    files.options.weight_decay = 0;
    files.options.steps = 0;
    files.options.epochs = 1;
    files.options.batch = 60;
    const TrainResult result = train(files.data, files.options, {});
    CHECK(result.train.rows == 60);
    const Expected expected = calculate(c, files.options, files.train, files.train);
    CHECK(result.train.loss == doctest::Approx(expected.loss).epsilon(10 * c.tolerance));
  }
}

}  // namespace halfstep::internal
