// The public trainer, data set and model.
#include "halfstep/trainer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/model.hpp"
#include "io/temp_dir.hpp"

using namespace halfstep;
using halfstep::test::TempDir;

namespace {

struct Rows {
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  std::vector<float> values;
};

Rows rows_of(int count, int first = 0) {
  Rows rows;
  for (int i = first; i < first + count; ++i) {
    const float a = std::sin(static_cast<float>(i)), b = std::cos(static_cast<float>(3 * i));
    rows.x.insert(rows.x.end(), {a, b, a * b});
    rows.labels.push_back(a > 0.3f ? 2 : b > 0 ? 1 : 0);
    rows.values.push_back(2 * a - b);
  }
  return rows;
}

Options options_of() {
  Options options;
  options.threads = 2;
  options.lr = 0.01;
  options.epochs = 12;
  options.batch = 32;
  return options;
}

const ModelSpec kClasses = {.widths = {3, 24, 3}, .activation = Activation::silu};

TEST_CASE("trainer: learns classes; its file predicts what it predicts") {
  const TempDir dir;
  const Rows rows = rows_of(300);
  const Dataset data = Dataset::classes(3, rows.x, rows.labels);
  CHECK(data.rows() == 300);
  CHECK(data.class_names() == std::vector<std::string>{"0", "1", "2"});
  Trainer trainer(kClasses, data, options_of());
  while (!trainer.done()) CHECK(trainer.step().outcome == StepOutcome::applied);
  CHECK(trainer.counts().applied == 120);  // ten steps an epoch, the last of 12 rows
  const Metrics metrics = trainer.evaluate(data);
  CHECK(metrics.accuracy > 0.85);
  const std::vector<float> p = trainer.predict(rows.x);
  REQUIRE(p.size() == 900);
  std::size_t right = 0;
  double loss = 0;
  for (std::size_t i = 0; i < 300; ++i) {
    const auto row = std::span(p).subspan(3 * i, 3);
    CHECK(row[0] + row[1] + row[2] == doctest::Approx(1).epsilon(1e-5));
    right += std::max_element(row.begin(), row.end()) - row.begin() == rows.labels[i];
    loss -= std::log(static_cast<double>(row[static_cast<std::size_t>(rows.labels[i])])) / 300;
  }
  CHECK(static_cast<double>(right) / 300 == metrics.accuracy);
  CHECK(loss == doctest::Approx(metrics.loss).epsilon(1e-5));
  trainer.save(dir / "m.safetensors");
  Model model(dir / "m.safetensors");
  CHECK(model.predict(rows.x) == p);
  CHECK(model.class_names() == data.class_names());
  CHECK(model.spec().widths == kClasses.widths);
  CHECK(inspect(dir / "m.safetensors").step == 120);
}

TEST_CASE("trainer: a set with several values for each row, and its file") {
  const TempDir dir;
  const Rows rows = rows_of(300);
  std::vector<float> two;
  for (std::size_t i = 0; i < 300; ++i) two.insert(two.end(), {rows.values[i], 40 * rows.x[3 * i] + 7});
  const Dataset data = Dataset::values(3, rows.x, two, 2);
  CHECK(data.rows() == 300);
  CHECK(data.outputs() == 2);
  ModelSpec spec = {.widths = {3, 24, 2}, .activation = Activation::silu, .precision = Dtype::fp32};
  spec.loss = LossKind::mse;
  Options options = options_of();
  options.epochs = 60;
  Trainer trainer(spec, data, options);
  const Metrics before = trainer.evaluate(data);
  while (!trainer.done()) trainer.step();
  const Metrics after = trainer.evaluate(data);
  REQUIRE(after.targets.size() == 2);
  for (std::size_t t = 0; t < 2; ++t) CHECK(after.targets[t].rmse < 0.2 * before.targets[t].rmse);
  const std::vector<float> p = trainer.predict(rows.x);
  REQUIRE(p.size() == 600);
  for (std::size_t t = 0; t < 2; ++t) {
    double squares = 0;
    for (std::size_t i = 0; i < 300; ++i) squares += std::pow(p[2 * i + t] - two[2 * i + t], 2) / 300;
    CHECK(std::sqrt(squares) == doctest::Approx(after.targets[t].rmse).epsilon(1e-4));
  }
  trainer.save(dir / "m.safetensors");
  const Model model(dir / "m.safetensors");
  CHECK(model.predict(rows.x) == p);
  CHECK(model.target_names().size() == 2);
  spec.widths.back() = 3;
  CHECK_THROWS_AS(Trainer(spec, data, options), Error);
}

TEST_CASE("trainer: on batches of the caller's, in values, any number of rows at a time") {
  ModelSpec spec = {.widths = {3, 16, 2}, .activation = Activation::gelu, .precision = Dtype::fp32};
  spec.loss = LossKind::mse;
  Options options = options_of();
  options.schedule = "constant";
  Trainer trainer(spec, options);
  double first = 0, last = 0;
  for (int i = 0; i < 200; ++i) {
    const Rows rows = rows_of(1 + i % 70, i);
    std::vector<float> two;
    for (const float v : rows.values) two.insert(two.end(), {v, -v});
    const StepRecord record = trainer.step({.x = rows.x, .labels = {}, .values = two});
    if (i == 30) first = record.loss;
    last = record.loss;
  }
  CHECK(last < 0.2 * first);
  const Rows rows = rows_of(600);  // more than pass through the network at once
  const std::vector<float> p = trainer.predict(rows.x);
  double error = 0;
  for (std::size_t i = 0; i < 600; ++i) error += std::fabs(p[2 * i] - rows.values[i]) / 600;
  CHECK(error < 0.3);
}

TEST_CASE("trainer: state in the middle of an epoch, and on with the same bits") {
  const Rows rows = rows_of(300);
  const Dataset data = Dataset::classes(3, rows.x, rows.labels);
  for (const char* precision : {"bf16", "fp16"}) {
    for (const char* master : {"fp32", "kahan"}) {
      Options options = options_of();
      set_option(options, "precision", precision);
      set_option(options, "master", master);
      ModelSpec spec = kClasses;
      spec.precision = options.precision;
      spec.norm = Norm::batch;
      spec.dropout = 0.1;
      Trainer straight(spec, data, options), resumed(spec, data, options);
      for (int i = 0; i < 37; ++i) straight.step();
      const std::vector<std::byte> state = straight.state();
      resumed.set_state(state);
      CHECK(resumed.state() == state);
      CHECK(resumed.counts().attempted == 37);
      for (int i = 0; i < 100; ++i) CHECK(straight.step().loss == resumed.step().loss);
      CHECK(straight.state() == resumed.state());
      for (const ParameterView& p : straight.parameters())
        CHECK(straight.parameter(p.name) == resumed.parameter(p.name));
      std::vector<std::byte> cut(state.begin(), state.end() - 9);
      CHECK_THROWS_AS(resumed.set_state(cut), Error);
      CHECK(straight.state() == resumed.state());
    }
  }
}

TEST_CASE("trainer: a file of the program's data trains to the bits of the program") {
  const TempDir dir;
  Options options;
  options.steps = 30;
  options.threads = 2;
  options.out = dir / "job.safetensors";
  options.test = "builtin:spirals";  // so that no row is held out
  options.quality = "plain";         // the network is the one below
  train("builtin:spirals", options, {});
  Trainer trainer({.widths = {2, 128, 64, 3}}, Dataset::read("builtin:spirals", options), options);
  while (!trainer.done()) trainer.step();
  trainer.save(dir / "api.safetensors");
  CHECK(inspect(dir / "api.safetensors").weights_digest == inspect(dir / "job.safetensors").weights_digest);
}

TEST_CASE("trainer: a table's columns embedded as the data set says, to the bits of the program") {
  const TempDir dir;
  const std::string path = dir / "d.csv";
  std::ofstream table(path);
  table << "a,kind,y\n";
  for (int i = 0; i < 90; ++i) table << i * 7 % 31 / 4.0 << ",k" << i % 3 << ',' << (i % 3 ? "no" : "yes") << '\n';
  table.close();
  Options options;
  options.embedding = 4;
  options.hidden = {16};
  options.ensemble = 2;
  options.steps = 20;
  options.threads = 2;
  options.out = dir / "job.safetensors";
  options.test = path;  // so that no row is held out
  train(path, options, {});
  const Dataset data = Dataset::read(path, options);
  CHECK(data.embedded() == std::vector<ColumnEmbedding>{{true, 30}, {false, 5}});
  ModelSpec spec = {.widths = {data.features(), 16, 2}};
  spec.embedding = 4;
  spec.members = 2;
  CHECK_THROWS_AS(Trainer(spec, data, options), Error);  // nothing is embedded
  spec.embedded = {{true, 29}, {false, 5}};
  CHECK_THROWS_AS(Trainer(spec, data, options), Error);  // other knots
  spec.embedded = data.embedded();
  Trainer trainer(spec, data, options);
  while (!trainer.done()) trainer.step();
  trainer.save(dir / "api.safetensors");
  CHECK(inspect(dir / "api.safetensors").weights_digest == inspect(dir / "job.safetensors").weights_digest);
  CHECK(evaluate(dir / "api.safetensors", path, {}).metrics.loss ==
        evaluate(dir / "job.safetensors", path, {}).metrics.loss);
}

TEST_CASE("trainer: parameters by name, read and written") {
  Trainer trainer(kClasses);
  const std::vector<ParameterView> list = trainer.parameters();
  REQUIRE(list.size() == 4);
  CHECK(list[0].name == "layers.0.weight");
  CHECK(list[0].shape == std::vector<std::size_t>{24, 3});
  for (const ParameterView& p : list) {
    trainer.set_parameter(p.name, std::vector<float>(trainer.parameter(p.name).size(), 0.0f));
  }
  trainer.set_parameter("layers.1.bias", std::vector<float>{0, std::log(2.0f), 0});
  CHECK(trainer.predict(std::vector<float>{1, 2, 3})[1] == doctest::Approx(0.5));
  CHECK_THROWS_AS(trainer.set_parameter("layers.1.bias", std::vector<float>{1}), Error);
  CHECK_THROWS_AS(trainer.parameter("layers.7.bias"), Error);
}

TEST_CASE("trainer: a batch that is not finite changes nothing and says why") {
  Trainer trainer(kClasses);
  Rows rows = rows_of(20);
  const std::vector<float> before = trainer.parameter("layers.0.weight");
  rows.x[7] = std::numeric_limits<float>::infinity();
  const StepRecord record = trainer.step({.x = rows.x, .labels = rows.labels, .values = {}});
  CHECK(record.outcome == StepOutcome::skipped);
  CHECK(record.cause == StepCause::data);
  CHECK(trainer.parameter("layers.0.weight") == before);
  CHECK(trainer.ledger().size() == 1);
  CHECK(std::isnan(trainer.predict(rows.x)[7 / 3 * 3]));
}

TEST_CASE("trainer: fp16 has its loss scale, whatever the options say of precision") {
  ModelSpec spec = kClasses;
  spec.precision = Dtype::fp16;
  Trainer trainer(spec);
  const Rows rows = rows_of(20);
  CHECK(trainer.step({.x = rows.x, .labels = rows.labels, .values = {}}).loss_scale > 1);
}

TEST_CASE("trainer: what does not fit is refused in words") {
  const Rows rows = rows_of(20);
  const Dataset classes = Dataset::classes(3, rows.x, rows.labels), values = Dataset::values(3, rows.x, rows.values);
  const auto refused = [](auto call) {
    try {
      call();
    } catch (const Error& error) {
      CHECK(error.status() == Status::invalid_argument);
      return std::string(error.what());
    }
    return std::string();
  };
  const auto with = [&](ModelSpec spec, const Dataset& data) { return refused([&] { Trainer(spec, data); }); };
  CHECK(with(kClasses, classes).empty());
  CHECK(with(kClasses, values).find("values") != std::string::npos);
  CHECK(with({.widths = {3, 4}}, classes).find("3 outputs") != std::string::npos);
  CHECK(with({.widths = {4, 3}}, classes).find("inputs") != std::string::npos);
  CHECK_FALSE(with({.widths = {3}}, classes).empty());
  CHECK_FALSE(refused([&] { Dataset::classes(3, rows.x, std::vector<std::int32_t>(19)); }).empty());
  CHECK_FALSE(refused([&] { Dataset::classes(7, rows.x, rows.labels); }).empty());
  CHECK_FALSE(refused([&] { Dataset::classes(3, rows.x, rows.labels, 2); }).empty());
  CHECK_FALSE(refused([&] { Dataset::classes(3, rows.x, std::vector<std::int32_t>(20, -1)); }).empty());
  CHECK_FALSE(refused([&] { Dataset::values(0, {}, {}); }).empty());
  CHECK_FALSE(refused([&] { Dataset::values(3, rows.x, rows.values, 2); }).empty());
  CHECK_FALSE(refused([&] { Dataset::values(3, rows.x, rows.values, 3); }).empty());
  CHECK_FALSE(refused([&] { Dataset::values(3, rows.x, rows.values, 0); }).empty());
  Trainer trainer(kClasses);
  CHECK_FALSE(refused([&] { trainer.step({.x = rows.x, .labels = {}, .values = rows.values}); }).empty());
  CHECK_FALSE(refused([&] { trainer.predict(std::vector<float>(4)); }).empty());
  CHECK_FALSE(refused([&] { trainer.evaluate(values); }).empty());
  CHECK_THROWS_AS(trainer.step(), Error);
}

}  // namespace
