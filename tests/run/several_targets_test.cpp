// Several targets from a table to predictions, through whole jobs.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "halfstep/dataset.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/predictor.hpp"
#include "io/safetensors.hpp"
#include "io/temp_dir.hpp"
#include "kernels/table.hpp"
#include "support/isa_loop.hpp"
#include "support/markup_check.hpp"

namespace halfstep::internal {
namespace {

// Exact: h = 3 a - b + 2, w = 5000 (b - 2 a) + 90000.
std::string two_lines(int rows) {
  std::string text = "a,h,b,w\n";
  for (int i = 0; i < rows; ++i) {
    const int a = i * 37 % 101, b = i * 53 % 89;
    text += std::to_string(a) + "," + std::to_string(3 * a - b + 2) + "," + std::to_string(b) + "," +
            std::to_string(5000 * (b - 2 * a) + 90000) + "\n";
  }
  return text;
}

struct TwoTargets {
  test::TempDir dir;
  std::string data = dir / "t.csv";
  Options options;

  TwoTargets() {
    test::write_bytes(data, two_lines(300));
    options.target = "h,w";
    options.hidden = {16};
    options.precision = Dtype::fp32;
    options.lr = 0.02;
    options.epochs = 60;
    options.threads = 1;
    options.out = dir / "m.safetensors";
  }
};

Status status_from(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.status();
  }
  return Status::ok;
}

}  // namespace

TEST_CASE("several targets: two exact lines are learned, with the same bits at 1 and 3 threads and on every ISA") {
  TwoTargets t;
  const TrainResult one = train(t.data, t.options, {});
  CHECK(one.targets == std::vector<std::string>{"h", "w"});
  REQUIRE(one.eval.targets.size() == 2);
  for (const TargetErrors& e : one.eval.targets) CHECK(e.r2 > 0.999);
  CHECK(one.eval.r2 == doctest::Approx((one.eval.targets[0].r2 + one.eval.targets[1].r2) / 2));
  CHECK(one.eval.rmse == doctest::Approx((one.eval.targets[0].rmse + one.eval.targets[1].rmse) / 2));
  t.options.threads = 3;
  CHECK(train(t.data, t.options, {}).weights_digest == one.weights_digest);
  t.options.epochs = 3;
  std::string digest;
  test::for_each_runnable_isa([&](const KernelTable& kernels) {
    if (kernels.gemm[static_cast<std::size_t>(Dtype::fp32)].native) return;
    t.options.isa = kernels.name;
    t.options.math = Math::native;
    const std::string found = train(t.data, t.options, {}).weights_digest;
    if (digest.empty()) digest = found;
    CHECK(found == digest);
  });
}

TEST_CASE("several targets: the loss is the mean over them of the standardised errors") {
  for (const char* loss : {"mse", "mae", "huber"}) {
    CAPTURE(loss);
    constexpr int kRows = 700;  // more than pass through the network at once
    TwoTargets t;
    test::write_bytes(t.data, two_lines(kRows));
    t.options.loss = loss;
    if (loss[0] == 'h') t.options.huber_delta = 0.5;
    t.options.epochs = 2;
    t.options.test = t.data;
    train(t.data, t.options, {});
    const Predictions p = predict(t.options.out, t.data, {});
    const Metrics m = evaluate(t.options.out, t.data, {}).metrics;
    double sum = 0;
    for (std::size_t target = 0; target < 2; ++target) {
      const auto truth = [&](int i) {
        const int a = i * 37 % 101, b = i * 53 % 89;
        return target == 0 ? 3.0 * a - b + 2 : 5000.0 * (b - 2 * a) + 90000;
      };
      double mean = 0, variance = 0;
      for (int i = 0; i < kRows; ++i) mean += truth(i) / kRows;
      for (int i = 0; i < kRows; ++i) variance += std::pow(truth(i) - mean, 2) / kRows;
      for (int i = 0; i < kRows; ++i) {
        const double e = std::fabs(p.values[2 * static_cast<std::size_t>(i) + target] - truth(i)) / std::sqrt(variance);
        const double huber = e > 0.5 ? 0.5 * (e - 0.25) : e * e / 2;
        sum += loss[1] == 's' ? e * e : loss[0] == 'm' ? e : huber;
      }
    }
    CHECK(m.loss == doctest::Approx(sum / (2 * kRows)).epsilon(1e-5));
  }
}

TEST_CASE("several targets: what is predicted is what the file of the model says, row by row") {
  TwoTargets t;
  t.options.epochs = 5;
  train(t.data, t.options, {});
  const Predictions p = predict(t.options.out, t.data, {});
  CHECK_FALSE(p.classification);
  CHECK(p.targets == std::vector<std::string>{"h", "w"});
  REQUIRE(p.predicted.size() == 300);
  REQUIRE(p.values.size() == 600);
  CHECK(p.predicted[0].find(',') != std::string::npos);
  test::write_bytes(t.dir / "other.csv", "w,b,a\n0,53,37\n,17,74\n");  // rows 1 and 2, for b = 106 % 89
  const Predictions some = predict(t.options.out, t.dir / "other.csv", {});
  REQUIRE(some.values.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) CHECK(some.values[i] == p.values[2 + i]);
  const Model model(t.options.out);
  CHECK(model.target_names() == p.targets);
  Predictor predictor(model);
  CHECK(predictor.outputs() == 2);
  const ModelSummary summary = inspect(t.options.out);
  CHECK(summary.targets == p.targets);
  CHECK(summary.kind == "regressor");
  // Of all rows, standardised as by the set: the library takes what the network sees, and gives target units too.
  const Dataset set = Dataset::read(t.data, t.options);
  CHECK(set.outputs() == 2);
  Options all = t.options;
  all.test = t.data;
  train(t.data, all, {});
  const Predictions of_file = predict(t.options.out, t.data, {});
  const std::vector<float> of_rows = Model(t.options.out).predict(set.x());
  REQUIRE(of_rows.size() == of_file.values.size());
  for (std::size_t i = 0; i < of_rows.size(); ++i) CHECK(of_rows[i] == static_cast<float>(of_file.values[i]));
  CHECK(set.target_names() == p.targets);
  const Evaluation e = evaluate(t.options.out, t.data, {});
  CHECK(e.targets == p.targets);
  CHECK(e.metrics.targets.size() == 2);
}

TEST_CASE("several targets: a row that is finite in part has no values, and is named") {
  TwoTargets t;
  t.options.epochs = 1;
  train(t.data, t.options, {});
  io::File file = io::read_safetensors(t.options.out);
  std::vector<float> bias = {0, std::numeric_limits<float>::infinity()};
  for (io::Tensor& tensor : file.tensors) {
    if (tensor.name == "layers.1.bias") tensor.bytes = std::as_bytes(std::span(bias));
  }
  io::write_safetensors(t.dir / "bad.safetensors", file);
  const Predictions p = predict(t.dir / "bad.safetensors", t.data, {});
  CHECK(p.non_finite.size() == 300);
  REQUIRE(p.warnings.size() == 1);
  CHECK(p.predicted[7] == "nan,nan");
  for (const double value : p.values) CHECK(std::isnan(value));
  const Evaluation e = evaluate(t.dir / "bad.safetensors", t.data, {});
  CHECK(e.metrics.non_finite == 300);
  CHECK(e.warnings.size() == 1);
  CHECK(std::isnan(e.metrics.rmse));
  CHECK(std::isfinite(e.metrics.targets[0].rmse));
}

TEST_CASE("several targets: a model file whose targets do not fit its outputs is refused") {
  TwoTargets t;
  t.options.epochs = 1;
  train(t.data, t.options, {});
  const auto with = [&](std::string_view from, std::string_view to) {
    io::File file = io::read_safetensors(t.options.out);
    for (auto& [key, value] : file.metadata) {
      if (key != "halfstep.preproc") continue;
      const std::size_t at = value.find(from);
      REQUIRE(at != std::string::npos);
      value.replace(at, from.size(), to);
    }
    io::write_safetensors(t.dir / "bad.safetensors", file);
    return status_from([&] { (void)predict(t.dir / "bad.safetensors", t.data, {}); });
  };
  CHECK(with("\"index\":3", "\"index\":3") == Status::ok);
  CHECK(with("[{\"name\":\"h\"", "[{\"name\":\"g\",\"index\":2,\"mean\":0.0,\"scale\":1.0},{\"name\":\"h\"") ==
        Status::format);
  CHECK(with("\"index\":3", "\"index\":1") == Status::format);
  CHECK(with("\"index\":3", "\"index\":4") == Status::format);
  // One target for two outputs.
  t.options.target = "h";
  t.options.drop = {"w"};
  t.options.out = t.dir / "one.safetensors";
  train(t.data, t.options, {});
  io::File two = io::read_safetensors(t.dir / "m.safetensors"), one = io::read_safetensors(t.options.out);
  for (auto& [key, value] : two.metadata) {
    if (key == "halfstep.preproc") value = *one.find_metadata(key);
  }
  io::write_safetensors(t.dir / "bad.safetensors", two);
  CHECK(status_from([&] { inspect(t.dir / "bad.safetensors"); }) == Status::format);
}

TEST_CASE("several targets: a checkpoint goes on with the same bits, predicts, and is refused where it does not fit") {
  TwoTargets t;
  t.options.epochs = 6;
  const std::string digest = train(t.data, t.options, {}).weights_digest;
  t.options.checkpoint_dir = t.dir / "c";
  t.options.checkpoint_every = 7;
  CHECK(train(t.data, t.options, {}).weights_digest == digest);
  const std::string latest = t.dir / "c/latest.safetensors";
  CHECK(inspect(latest).targets == std::vector<std::string>{"h", "w"});
  CHECK(predict(latest, t.data, {}).values.size() == 600);
  io::File file = io::read_safetensors(latest);
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>("\"index\":3", "\"index\":1"),
        {"{\"name\":\"w\"", "{\"name\":\"v\",\"index\":2,\"mean\":0,\"scale\":1},{\"name\":\"w\""}}) {
    io::File bad = file;
    for (auto& [key, value] : bad.metadata) {
      if (key == "halfstep.preproc") value.replace(value.find(from), from.size(), to);
    }
    io::write_safetensors(t.dir / "bad.safetensors", bad);
    CHECK(status_from([&] { (void)predict(t.dir / "bad.safetensors", t.data, {}); }) == Status::format);
  }
  t.options.checkpoint_dir.clear();
  t.options.checkpoint_every = 0;
  t.options.resume = latest;
  CHECK(train(t.data, t.options, {}).weights_digest == digest);
}

TEST_CASE("several targets: folds, early stop by a metric, and a report of each") {
  TwoTargets t;
  t.options.epochs = 4;
  t.options.metric = "r2";
  t.options.early_stop = 2;
  t.options.report = t.dir / "r.html";
  const TrainResult result = train(t.data, t.options, {});
  CHECK(result.metric == "r2");
  CHECK(result.warnings.empty());
  const std::string page = test::read_bytes(t.options.report);
  CHECK(test::MarkupCheck::problem(page).empty());
  for (const char* text : {"Predicted against true: h", "Predicted minus true: w", "Each target"}) {
    CHECK(page.find(text) != std::string::npos);
  }
  t.options.report.clear();
  t.options.out.clear();
  const CrossValidation cv = cross_validate(t.data, 3, t.options);
  CHECK(cv.targets == std::vector<std::string>{"h", "w"});
  for (const Fold& fold : cv.folds) CHECK(fold.held_out.targets.size() == 2);
}

}  // namespace halfstep::internal
