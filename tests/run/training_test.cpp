// Whole runs through the public jobs: the same bits everywhere, good results on real data, honest failures.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/safetensors.hpp"
#include "io/temp_dir.hpp"
#include "kernels/table.hpp"
#include "support/effort.hpp"
#include "support/isa_loop.hpp"
#include "support/numbers.hpp"

namespace halfstep::internal {
namespace {

std::string test_data(const std::string& name) {
  const char* folder = std::getenv("HALFSTEP_TEST_DATA");
  const std::filesystem::path path = std::filesystem::path(folder ? folder : HS_SOURCE_DIR "/../shared/data") / name;
  return std::filesystem::exists(path) ? path.string() : "";
}

// A short run on a built-in set; small, so that emulators can afford it.
Options short_run(const test::TempDir& dir, Dtype precision) {
  Options options;
  options.out = dir / "model.safetensors";
  options.hidden = {48, 33};
  options.activation = Activation::gelu;
  options.batch = 50;
  options.steps = 20;
  options.clip_norm = 1;
  options.precision = precision;
  options.threads = 1;
  return options;
}

}  // namespace

TEST_CASE("the weights of a run are the same bits at any thread count and on every ISA") {
  const test::TempDir dir;
  const char* data = test::test_effort() == 1 ? "builtin:digits" : "builtin:spirals";  // cheaper to make
  for (Dtype precision : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    CAPTURE(name(precision));
    Options options = short_run(dir, precision);
    const std::string expected = train(data, options, {}).weights_digest;
    for (int threads : {2, 3, 5, 8}) {
      CAPTURE(threads);
      options.threads = threads;
      CHECK(train(data, options, {}).weights_digest == expected);
    }
    test::for_each_runnable_isa([&](const KernelTable& kernels) {
      options.isa = kernels.name;
      options.math = Math::native;  // which a portable ISA takes for permission, no more
      options.threads = 2;
      const std::string digest = train(data, options, {}).weights_digest;
      // Native bits may differ only where products leave the range of fp32.
      if (!kernels.gemm[static_cast<std::size_t>(precision)].native) CHECK(digest == expected);
      options.threads = 3;
      CHECK(train(data, options, {}).weights_digest == digest);
    });
    options.isa = "auto";
    options.math = Math::portable;
    options.seed = 1;
    CHECK(train(data, options, {}).weights_digest != expected);
  }
}

TEST_CASE("layers in different precisions: same bits everywhere, and the model file says which") {
  const test::TempDir dir;
  Options options = short_run(dir, Dtype::bf16);
  options.layer_precision = {{0, Dtype::fp32}, {2, Dtype::fp16}};
  const TrainResult result = train("builtin:spirals", options, {});
  CHECK(result.layer_precision == "0=fp32,2=fp16");
  CHECK(result.loss_scale > 1);  // the fp16 layer asks for one
  CHECK(inspect(options.out).layer_precision == "0=fp32,2=fp16");
  const Metrics metrics = evaluate(options.out, "builtin:spirals", {}).metrics;
  CHECK(metrics.loss == doctest::Approx(result.eval.loss).epsilon(1e-12));
  test::for_each_runnable_isa([&](const KernelTable& kernels) {
    if (kernels.gemm[static_cast<std::size_t>(Dtype::bf16)].native) return;
    Options other = options;
    other.isa = kernels.name;
    other.threads = 3;
    CHECK(train("builtin:spirals", other, {}).weights_digest == result.weights_digest);
  });
  Options uniform = options;
  uniform.layer_precision = {};
  CHECK(train("builtin:spirals", uniform, {}).weights_digest != result.weights_digest);
}

TEST_CASE("runs with normalisation and dropout: same bits everywhere, they learn, and evaluate drops nothing") {
  const test::TempDir dir;
  struct Case {
    Dtype precision;
    Norm norm;
    double dropout;
    const char* architecture;
    bool residual = false;
  };
  for (const Case& c : {Case{Dtype::bf16, Norm::layer, 0.1, "2-48-33-3 layer norm, gelu, cross_entropy"},
                        {Dtype::fp16, Norm::rms, 0.2, "2-48-33-3 rms norm, gelu, cross_entropy"},
                        {Dtype::fp32, Norm::layer, 0, "2-48-33-3 layer norm, gelu, cross_entropy"},
                        {Dtype::bf16, Norm::batch, 0, "2-48-33-3 batch norm, gelu, cross_entropy"},
                        {Dtype::fp16, Norm::none, 0.1, "2-48-33-3 gelu, cross_entropy"},
                        {Dtype::bf16, Norm::batch, 0.1, "2-48-48-3 batch norm, gelu, residual, cross_entropy", true}}) {
    CAPTURE(name(c.precision));
    CAPTURE(name(c.norm));
    Options options = short_run(dir, c.precision);
    options.norm = c.norm;
    options.dropout = c.dropout;
    options.residual = c.residual;
    if (c.residual) options.hidden = {48, 48};
    options.steps = 60;
    options.lr = 5e-3;
    double first = -1, last = 0;
    TrainObserver observer;
    observer.on_epoch = [&](const EpochReport& e) {
      if (first < 0) first = e.train_loss;
      last = e.eval.loss;
    };
    const TrainResult result = train("builtin:spirals", options, observer);
    CHECK(last < first);
    const Metrics metrics = evaluate(options.out, "builtin:spirals", {}).metrics;
    CHECK(metrics.loss == doctest::Approx(result.eval.loss).epsilon(1e-12));
    CHECK(metrics.accuracy == result.eval.accuracy);
    const ModelSummary summary = inspect(options.out);
    CHECK(summary.architecture == c.architecture);
    CHECK(summary.weights_digest == result.weights_digest);
    constexpr std::size_t kTensors[] = {6, 10, 8, 14};
    CHECK(summary.tensors.size() == kTensors[static_cast<std::size_t>(c.norm)]);
    const std::int64_t wide = options.hidden[1], norms = c.norm == Norm::none ? 0 : c.norm == Norm::rms ? 1 : 2;
    CHECK(summary.parameters == 2 * 48 + 48 + 48 * wide + wide + wide * 3 + 3 + norms * (48 + wide));
    test::for_each_runnable_isa([&](const KernelTable& kernels) {
      if (kernels.gemm[static_cast<std::size_t>(c.precision)].native) return;
      Options other = options;
      other.isa = kernels.name;
      other.math = Math::native;
      for (int threads : test::test_effort() < 1 ? std::vector{3} : std::vector{1, 2, 3}) {
        other.threads = threads;
        CHECK(train("builtin:spirals", other, {}).weights_digest == result.weights_digest);
      }
    });
    Options plain = options;
    plain.norm = Norm::none;
    plain.dropout = 0;
    plain.residual = false;
    CHECK(train("builtin:spirals", plain, {}).weights_digest != result.weights_digest);
    if (c.dropout == 0) continue;
    plain.norm = c.norm;
    plain.residual = c.residual;
    CHECK(train("builtin:spirals", plain, {}).weights_digest != result.weights_digest);
  }
}

TEST_CASE("batch norm trains on the last row of an epoch with another, and not on batches of two") {
  const test::TempDir dir;
  Options options = short_run(dir, Dtype::fp32);
  options.norm = Norm::batch;
  options.steps = 0;
  options.epochs = 2;
  options.batch = 2999;  // a batch and a row
  const TrainResult result = train("builtin:spirals", options, {});
  REQUIRE(result.train.rows == 3000);
  CHECK(result.steps.attempted == 4);
  CHECK(result.steps.applied == 4);
  options.batch = 2;
  CHECK_THROWS_WITH(train("builtin:spirals", options, {}), doctest::Contains("--batch 3 or more"));
}

TEST_CASE("a run with residual layers needs one, and its model is another than without") {
  const test::TempDir dir;
  Options options = short_run(dir, Dtype::bf16);
  options.residual = true;
  CHECK_THROWS_WITH(train("builtin:spirals", options, {}),
                    doctest::Contains("no hidden layer is as wide as its input"));
  options.hidden = {48, 3};  // the outputs are no hidden layer
  CHECK_THROWS_WITH(train("builtin:spirals", options, {}), doctest::Contains("--residual"));
  options.hidden = {2};
  const std::string digest = train("builtin:spirals", options, {}).weights_digest;
  options.residual = false;
  CHECK(train("builtin:spirals", options, {}).weights_digest != digest);
}

TEST_CASE("a model file from before there was normalisation loads") {
  const test::TempDir dir;
  const Options options = short_run(dir, Dtype::bf16);
  const TrainResult result = train("builtin:spirals", options, {});
  io::File file = io::read_safetensors(options.out);
  bool found = false;
  for (auto& [key, value] : file.metadata) {
    const std::string field = "\"norm\":\"none\",\"residual\":false,";
    const std::size_t at = key == "halfstep.model" ? value.find(field) : std::string::npos;
    if (at == std::string::npos) continue;
    value.erase(at, field.size());
    found = true;
  }
  REQUIRE(found);
  io::write_safetensors(dir / "old.safetensors", file);
  CHECK(evaluate(dir / "old.safetensors", "builtin:spirals", {}).metrics.loss ==
        doctest::Approx(result.eval.loss).epsilon(1e-12));
}

// The reference run. A change here means that every user's results change: say so in the commit.
TEST_CASE("signature of the reference run") {
  const test::TempDir dir;
  CHECK(train("builtin:digits", short_run(dir, Dtype::bf16), {}).weights_digest == "618eda20295a7ce2");
  CHECK(train("builtin:digits", short_run(dir, Dtype::fp16), {}).weights_digest == "29c9ae54b9343663");
  CHECK(train("builtin:digits", short_run(dir, Dtype::fp32), {}).weights_digest == "f059471e84722228");
}

TEST_CASE("evaluate gives the numbers that training ended with, predict agrees with them") {
  const test::TempDir dir;
  for (const char* data : {"builtin:digits", "builtin:regression"}) {
    CAPTURE(data);
    Options options = short_run(dir, Dtype::bf16);
    options.steps = 60;
    const TrainResult result = train(data, options, {});
    const Metrics metrics = evaluate(options.out, data, options).metrics;
    CHECK(metrics.loss == doctest::Approx(result.eval.loss).epsilon(1e-12));
    if (metrics.classification) CHECK(metrics.accuracy == result.eval.accuracy);
    if (!metrics.classification) CHECK(metrics.r2 == doctest::Approx(result.eval.r2).epsilon(1e-9));
    CHECK(predict(options.out, data, options).predicted.size() == static_cast<std::size_t>(metrics.rows));
    CHECK(inspect(options.out).weights_digest == result.weights_digest);
  }
}

TEST_CASE("a model file brings back its activation") {
  const test::TempDir dir;
  for (Activation activation : test::kEachActivation) {
    CAPTURE(test::label(activation));
    Options options = short_run(dir, Dtype::bf16);
    options.activation = activation;
    CHECK(get_option(options, "activation") == test::label(activation));
    options.steps = 3;
    const TrainResult result = train("builtin:spirals", options, {});
    CHECK(evaluate(options.out, "builtin:spirals", options).metrics.loss ==
          doctest::Approx(result.eval.loss).epsilon(1e-12));
  }
}

TEST_CASE("a run that cannot recover stops, says why and leaves no model") {
  const test::TempDir dir;
  for (Dtype precision : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    Options options = short_run(dir, precision);
    options.lr = 1e6;
    options.clip_norm = 0;
    options.steps = 400;
    bool diverged = false;
    try {
      train("builtin:digits", options, {});
    } catch (const Error& error) {
      diverged = error.status() == Status::diverged;
      CHECK(error.parts().why.find("non-finite") != std::string::npos);
    }
    CHECK(diverged);
    CHECK_FALSE(std::filesystem::exists(options.out));
  }
}

TEST_CASE("an overflow is skipped, counted, and the scale recovers") {
  const test::TempDir dir;
  Options options = short_run(dir, Dtype::fp16);
  options.scale_init = 16777216;
  options.steps = 60;
  const TrainResult result = train("builtin:digits", options, {});
  CHECK(result.steps.skipped > 0);
  CHECK(result.steps.applied + result.steps.skipped == result.steps.attempted);
  CHECK(result.loss_scale < 16777216);
  CHECK_FALSE(result.ledger.empty());
}

TEST_CASE("every loss, activation and optimizer trains") {
  const test::TempDir dir;
  const bool quick = test::test_effort() < 1;
  const char* classes = quick ? "builtin:spirals" : "builtin:digits";  // cheaper to make
  struct Case {
    const char* data;
    const char* option;
    const char* value;
  };
  for (const Case& c : {Case{classes, "loss", "binary_cross_entropy"},
                        {"builtin:regression", "loss", "huber"},
                        {classes, "activation", "silu"},
                        {classes, "activation", "tanh"},
                        {classes, "activation", "sigmoid"},
                        {classes, "activation", "leaky_relu"},
                        {classes, "activation", "elu"},
                        {classes, "activation", "softplus"},
                        {classes, "optimizer", "adam"},
                        {"builtin:spirals", "activation", "gelu"}}) {
    CAPTURE(c.value);
    Options options = short_run(dir, Dtype::bf16);
    options.steps = 100;
    options.lr = 5e-3;
    set_option(options, c.option, c.value);
    double first = -1, last = 0;
    TrainObserver observer;
    observer.on_epoch = [&](const EpochReport& e) {
      if (first < 0) first = e.train_loss;
      last = e.eval.loss;
    };
    train(c.data, options, observer);
    CHECK(last < first);
  }
  if (quick) return;
  Options options = short_run(dir, Dtype::bf16);
  options.optimizer = OptimizerKind::sgd;
  options.nesterov = true;
  options.lr = 0.05;
  options.steps = 200;
  CHECK(train("builtin:digits", options, {}).eval.accuracy > 0.5);
}

TEST_CASE("accuracy on real data") {
  if (test::test_effort() < 1) {
    MESSAGE("skipped: quick run");
    return;
  }
  struct Case {
    const char* data;
    const char* test;
    const char* target;
    double least;  // accuracy, or r2 for the regression
  };
  const test::TempDir dir;
  for (const Case& c : {Case{"adult/adult-train.csv.gz", "adult/adult-test.csv.gz", "", 0.845},
                        {"breast-cancer-wdbc/wisc_bc_data.csv", "", "diagnosis", 0.95},
                        {"california-housing/housing.csv", "", "median_house_value", 0.75}}) {
    const std::string data = test_data(c.data);
    if (data.empty()) {
      MESSAGE("skipped: no test data ", c.data);
      continue;
    }
    Options options;
    options.out = dir / "model.safetensors";
    options.target = c.target;
    if (*c.test) options.test = test_data(c.test);
    if (!*c.test) options.validation = 0.2;
    for (Dtype precision : {Dtype::bf16, Dtype::fp16}) {
      options.precision = precision;
      const TrainResult result = train(data, options, {});
      CAPTURE(c.data);
      CAPTURE(name(precision));
      CHECK((result.eval.classification ? result.eval.accuracy : result.eval.r2) >= c.least);
    }
  }
}

TEST_CASE("Fashion-MNIST in every precision") {
  const std::string data = test_data("fashion-mnist");
  if (data.empty() || test::test_effort() < 1) {
    MESSAGE("skipped: no test data, or a quick run");
    return;
  }
  const test::TempDir dir;
  double least = 1, most = 0;
  for (Dtype precision : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    Options options;
    options.out = dir / "model.safetensors";
    options.hidden = {512, 256};
    options.epochs = 4;
    options.batch = 128;
    options.precision = precision;
    const double accuracy = train(data, options, {}).eval.accuracy;
    least = std::min(least, accuracy);
    most = std::max(most, accuracy);
  }
  CHECK(least >= 0.885);
  CHECK(most - least <= 0.007);
}

}  // namespace halfstep::internal
