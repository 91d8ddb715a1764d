// A run whose table goes by way of the disk is the run in memory.
#include "run/cache_choice.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <numeric>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"
#include "run/checkpoint_file.hpp"
#include "run/machine.hpp"
#include "run/prepare.hpp"
#include "run/spec_of.hpp"
#include "run/trainer_options.hpp"
#include "train/trainer.hpp"

namespace halfstep::internal {
namespace {

using data::Cache;

// Numbers, texts and digits that are names, all with missing values; classes, values, weights and groups.
std::string mixed_table(int rows) {
  std::string text = "n,t,id,w,g,class,value\n";
  for (int i = 0; i < rows; ++i) {
    const auto unless = [&](int every, const std::string& cell) { return i % every == every - 1 ? "" : cell; };
    text += unless(11, std::to_string(i * 37 % 101) + ".25") + "," + unless(7, "t" + std::to_string(i % 5)) + ",0" +
            unless(13, std::to_string(i % 9)) + "," + std::to_string(i % 3 + 1) + "," + std::to_string(i / 10) + "," +
            unless(17, i * 37 % 101 > 50 ? "big" : "small") + "," + unless(19, std::to_string(i * 37 % 101 * 0.5)) +
            "\n";
  }
  return text;
}

std::vector<float> all_features(const data::Examples& examples) {
  std::vector<std::uint32_t> rows(examples.rows);
  std::iota(rows.begin(), rows.end(), 0u);
  const data::Examples taken = data::take_rows(examples, rows);
  return {taken.x.begin(), taken.x.end()};
}

void check_same(const data::Examples& a, const data::Examples& b) {
  CHECK(a.rows == b.rows);
  CHECK(a.features == b.features);
  CHECK(all_features(a) == all_features(b));
  CHECK(a.outputs == b.outputs);
  CHECK(a.labels == b.labels);
  CHECK(a.targets == b.targets);
  CHECK(a.exact_targets == b.exact_targets);
  CHECK(a.weights == b.weights);
}

struct Case {
  const char* target;
  const char* split;
  const char* group;
  const char* weights;
  const char* standardize;
};
constexpr Case kCases[] = {{"class", "random", "", "", "auto"},   {"class", "stratified", "", "w", "auto"},
                           {"class", "random", "g", "w", "auto"}, {"value", "ordered", "", "", "auto"},
                           {"value", "random", "g", "", "none"},  {"value", "random", "", "w", "auto"},
                           {"id", "stratified", "", "", "auto"},  {"n", "random", "", "", "auto"},
                           {"value,n", "random", "", "w", "auto"}};

Options options_of(const Case& c) {
  Options options;
  options.target = c.target;
  options.split = c.split;
  options.group = c.group;
  options.weights = c.weights;
  options.standardize = c.standardize;
  options.threads = 2;
  return options;
}

}  // namespace

TEST_CASE("the same rows, recipe and notes by way of the disk, for every kind of split") {
  const test::TempDir dir;
  const std::string path = dir / "t.csv";
  std::ofstream(path) << mixed_table(400);
  for (const Case& c : kCases) {
    CAPTURE(c.target);
    CAPTURE(c.split);
    const Options options = options_of(c);
    const Prepared in_memory = prepare(path, options);
    for (const std::size_t block : {1u, 33u, 1000u}) {
      const Cache cache = {Cache::When::always, dir / "", 500, block};
      const Prepared by_disk = prepare(path, options, {nullptr, 100, cache});
      CHECK(by_disk.train.file != nullptr);
      CHECK(by_disk.train.x.empty());
      check_same(in_memory.train, by_disk.train);
      check_same(in_memory.validation, by_disk.validation);
      CHECK(in_memory.preprocessor.to_json() == by_disk.preprocessor.to_json());
      CHECK(in_memory.notes == by_disk.notes);
      CHECK(in_memory.split == by_disk.split);
      CHECK(identity_of(path, in_memory.train, in_memory.validation).digest ==
            identity_of(path, by_disk.train, by_disk.validation).digest);
    }
  }
}

TEST_CASE("the same weights, metrics and report by way of the disk") {
  const test::TempDir dir;
  const std::string path = dir / "t.csv";
  std::ofstream(path) << mixed_table(700);
  for (const Case& c : kCases) {
    CAPTURE(c.target);
    Options options = options_of(c);
    options.epochs = 3;
    options.early_stop = 2;
    options.hidden = {16};
    options.out = dir / "m.safetensors";
    options.report = dir / "r.html";
    options.cache = "none";
    const TrainResult in_memory = train(path, options, {});
    options.cache = dir / "";
    const TrainResult by_disk = train(path, options, {});
    CHECK(in_memory.weights_digest == by_disk.weights_digest);
    CHECK(in_memory.eval.loss == by_disk.eval.loss);
    CHECK(by_disk.warnings.empty());
  }
}

TEST_CASE("a cache that cannot be read ends the run, on any thread") {
  const test::TempDir dir;
  const std::string path = dir / "t.csv";
  std::ofstream(path) << mixed_table(600);
  Options options = options_of(kCases[0]);
  const Machine machine(options);
  Prepared p = prepare(path, options, {nullptr, 100, {Cache::When::always, dir / "", 500, 100}});
  const auto cut_off = std::make_shared<data::RowFile>(dir / "", p.train.features);
  cut_off->append(std::vector<float>(p.train.features * p.train.rows / 2));
  p.train.file = cut_off;
  const ModelSpec spec = spec_of(p, options);
  StepTrainer trainer(*machine.kernels, *machine.executor, trainer_config(options, spec, p.train.rows), &p.train);
  Status status = Status::ok;
  try {
    while (!trainer.done()) trainer.step();
  } catch (const Error& error) {
    status = error.status();
  }
  CHECK(status == Status::io);
}

TEST_CASE("where the cache lies") {
  Options options;
  options.out = "some/model.safetensors";
  CHECK(cache_choice(options).folder == "some");
  CHECK(cache_choice(options).when == Cache::When::if_needed);
  options.out = "model.safetensors";
  CHECK(cache_choice(options).folder == ".");
  options.cache = "none";
  CHECK(cache_choice(options).when == Cache::When::never);
  options.cache = "/tmp";
  CHECK(cache_choice(options).when == Cache::When::always);
  CHECK(cache_choice(options).folder == "/tmp");
}

}  // namespace halfstep::internal
