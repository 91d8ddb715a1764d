// Whole runs of networks that embed their columns and of ensembles.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/predictor.hpp"
#include "io/safetensors.hpp"
#include "io/temp_dir.hpp"
#include "run/quality.hpp"
#include "support/isa_loop.hpp"

namespace halfstep::test::embedded {

using namespace internal;

// Numbers, one of them with gaps, and a category; a class or a value to tell.
std::string table(const TempDir& dir, const std::string& name, int rows, bool classify) {
  const std::string path = dir / name;
  std::ofstream out(path);
  out << "a,b,kind,y\n";
  for (int i = 0; i < rows; ++i) {
    const double a = i * 37 % 101 / 10.0, b = i * 53 % 97;
    const char* kind = i % 3 == 0 ? "red" : i % 3 == 1 ? "green" : "blue";
    const double y = std::sin(a) + (i % 3 == 0 ? b / 50 : 0);
    out << a << ',' << (i % 11 == 0 ? "" : std::to_string(b)) << ',' << kind << ',';
    classify ? out << (y > 0.5 ? "yes" : "no") << '\n' : out << y << '\n';
  }
  return path;
}

Options options_of(const TempDir& dir, std::int64_t members) {
  Options o;
  o.out = dir / "model.safetensors";
  o.embedding = 4;
  o.ensemble = members;
  o.hidden = {24, 17};
  o.batch = 30;
  o.steps = 25;
  o.dropout = 0.1;
  o.lr = 0.01;
  o.threads = 1;
  return o;
}

TEST_CASE("ensemble: the same bits at any thread count, on every ISA, in each precision") {
  const TempDir dir;
  const std::string data = table(dir, "t.csv", 301, true);
  for (const Dtype precision : {Dtype::bf16, Dtype::fp16, Dtype::fp32}) {
    Options o = options_of(dir, 3);
    o.precision = precision;
    const std::string expected = train(data, o, {}).weights_digest;
    for (const int threads : {2, 3, 5, 8}) {
      o.threads = threads;
      CHECK(train(data, o, {}).weights_digest == expected);
    }
    for_each_runnable_isa([&](const KernelTable& kernels) {
      o.isa = kernels.name;
      o.math = Math::native;
      if (!kernels.gemm[static_cast<std::size_t>(precision)].native)
        CHECK(train(data, o, {}).weights_digest == expected);
    });
  }
}

TEST_CASE("ensemble: what is measured, predicted and given to a host is the mean of the members") {
  const TempDir dir;
  for (const bool classify : {true, false}) {
    const std::string data = table(dir, "t.csv", 301, classify);
    Options o = options_of(dir, 4);
    o.norm = Norm::layer;
    o.steps = 150;
    const TrainResult result = train(data, o, {});
    const Evaluation all = evaluate(o.out, data, {});
    const Predictions p = predict(o.out, data, {});
    REQUIRE(p.predicted.size() == 301);
    // Against the file, which is the truth: the loss that evaluate says from the rows that predict says.
    std::ifstream in(data);
    std::string line;
    std::getline(in, line);
    double sum = 0;
    std::int64_t right = 0;
    for (std::size_t r = 0; std::getline(in, line); ++r) {
      const std::string truth = line.substr(line.rfind(',') + 1);
      if (classify) {
        const std::size_t at = p.classes[0] == truth ? 0 : 1;
        sum -= std::log(p.values[r * 2 + at]);
        right += p.predicted[r] == truth ? 1 : 0;
        CHECK(p.values[r * 2] + p.values[r * 2 + 1] == doctest::Approx(1).epsilon(1e-6));
      } else {
        sum += std::pow(p.values[r] - std::stod(truth), 2);
      }
    }
    if (classify) {
      CHECK(all.metrics.loss == doctest::Approx(sum / 301).epsilon(1e-5));
      CHECK(all.metrics.accuracy == doctest::Approx(static_cast<double>(right) / 301));
      CHECK(all.metrics.accuracy > 0.8);
    } else {
      CHECK(all.metrics.rmse == doctest::Approx(std::sqrt(sum / 301)).epsilon(1e-5));
      CHECK(all.metrics.r2 > 0.5);
    }
    CHECK(inspect(o.out).architecture.find("4 members") != std::string::npos);
  }
}

TEST_CASE("ensemble: a run that goes on from a checkpoint has the bits of one that was not stopped") {
  const TempDir dir;
  const std::string data = table(dir, "t.csv", 301, false);
  Options o = options_of(dir, 3);
  o.precision = Dtype::fp16;
  const std::string expected = train(data, o, {}).weights_digest;
  o.checkpoint_dir = dir / "checkpoints";
  int seen = 0;
  TrainObserver stop;
  stop.should_stop = [&] { return ++seen == 13; };
  train(data, o, stop);
  o.resume = "auto";
  o.threads = 3;
  CHECK(train(data, o, {}).weights_digest == expected);
}

TEST_CASE("embedding: an overflow in the embedding is told") {
  const TempDir dir;
  const std::string data = table(dir, "t.csv", 301, false);
  Options o = options_of(dir, 2);
  o.precision = Dtype::fp16;
  o.lr = 1e5;
  o.capsule = "none";
  CHECK_THROWS_AS(train(data, o, {}), Error);
}

TEST_CASE("embedding: what does not go together is refused, with advice") {
  const auto why = [](void (*change)(Options&)) {
    Options o;
    o.quality = "plain";
    change(o);
    try {
      validate(o);
    } catch (const Error& error) {
      return error.parts().where + ": " + error.parts().hint;
    }
    return std::string();
  };
  CHECK(why([](Options& o) { o.ensemble = 4; }) == "--ensemble: --embedding 16");
  CHECK(why([](Options& o) { o.bins = 4; }) == "--bins: --embedding 16");
  CHECK(why([](Options& o) {
          o.embedding = 8;
          o.standardize = "none";
        }) == "--standardize: --embedding 0");
  CHECK(why([](Options& o) {
          o.embedding = o.ensemble = 8;
          o.norm = Norm::batch;
        }) == "--ensemble: --norm layer");
  const TempDir dir;
  Options o = options_of(dir, 1);
  CHECK_THROWS_AS(train("builtin:digits", o, {}), Error);
}

TEST_CASE("embedding: a model file whose layers embed other knots than its preprocessing makes is refused") {
  const TempDir dir;
  const std::string data = table(dir, "t.csv", 101, true);
  Options o = options_of(dir, 1);
  train(data, o, {});
  io::File file = io::read_safetensors(o.out);
  o.bins = 7;
  o.out = dir / "other.safetensors";
  train(data, o, {});
  const io::File other = io::read_safetensors(o.out);
  for (auto& [key, value] : file.metadata) {
    if (key == "halfstep.preproc") value = *other.find_metadata(key);
  }
  io::write_safetensors(dir / "bad.safetensors", file);
  try {
    inspect(dir / "bad.safetensors");
    FAIL("it was read");
  } catch (const Error& error) {
    CHECK(error.status() == Status::format);
    CHECK(std::string(error.what()).find("embed other columns") != std::string::npos);
  }
}

TEST_CASE("quality: what is not given follows from the size of the table, what is given stays") {
  const auto settled = [](
                           const char* quality, std::size_t rows, void (*change)(Options&) = [](Options&) {}) {
    Options o;
    o.quality = quality;
    change(o);
    settle_quality(o, {.rows = rows, .columns = 10, .outputs = 2, .classify = true});
    return o;
  };
  const Options small = settled("good", 500), large = settled("good", 50000);
  CHECK(small.ensemble == 16);
  CHECK(large.ensemble == 8);
  CHECK(small.bins < large.bins);
  CHECK(small.periodic == 0);
  CHECK(small.epochs > large.epochs);
  CHECK(small.batch < large.batch);
  CHECK(small.split == "stratified");
  CHECK(small.early_stop > 0);
  CHECK(settled("quick", 500).ensemble == 1);
  CHECK(settled("best", 500).bag == 8);
  CHECK(settled("best", 500).validation == 0);
  CHECK(settled("best", 45).bag == 4);  // ten rows of each are held out at least
  CHECK(settled("best", 19).bag == 1);
  CHECK(settled("good", 500).bag == 1);
  CHECK(settled("best", 500, [](Options& o) { o.metrics = "m.jsonl"; }).bag == 1);  // of one network
  CHECK(settled("best", 500, [](Options& o) { o.group = "g"; }).bag == 1);
  CHECK(settled("best", 500, [](Options& o) { set_option(o, "bag", "3"); }).bag == 3);
  const Options given = settled("good", 500, [](Options& o) {
    o.hidden = {10};
    o.epochs = 3;
    o.lr = 0.5;
    o.norm = Norm::batch;
  });
  CHECK(given.hidden == std::vector<std::int64_t>{10});
  CHECK(given.epochs == 3);
  CHECK(given.lr == 0.5);
  CHECK(given.ensemble == 1);  // BatchNorm would mix the members
  const Options plain = settled("plain", 500);
  for (const ParameterInfo& info : parameters()) {
    if (info.name != "quality") CHECK(get_option(plain, info.name) == get_option(Options{}, info.name));
  }
  // Given counts at the default's value too, where it was given by name.
  CHECK(settled("good", 500, [](Options& o) { set_option(o, "batch", "64"); }).batch == 64);
  CHECK(settled("good", 500, [](Options& o) { o.batch = 64; }).batch != 64);
  // Unasked it is good, unless somebody says what the network is.
  CHECK(settled("auto", 500).quality == "good");
  CHECK(settled("auto", 50000).ensemble == 8);
  CHECK(settled("auto", 500, [](Options& o) { o.lr = 0.5; }).quality == "good");
  const auto by_hand = [](Options& o) { set_option(o, "hidden", "128,64"); };
  CHECK(settled("auto", 500, by_hand).quality == "plain");
  CHECK(settled("auto", 500, by_hand).early_stop == 0);
  CHECK(settled("auto", 500, [](Options& o) { o.embedding = 4; }).ensemble == 1);
  CHECK(settled("good", 500, by_hand).hidden == std::vector<std::int64_t>{128, 64});
  CHECK(settled("good", 50000, by_hand).ensemble == 8);
  CHECK(settled("good", 500, [](Options& o) { set_option(o, "embedding", "0"); }).ensemble == 1);
  CHECK(settled("good", 20'000'000).epochs < 12);  // of so many rows a few passes are enough
  // More than two classes have a wider network, few rows of numbers a longer run.
  const auto of_target = [](bool classify, std::size_t outputs, std::size_t rows = 500) {
    Options o;
    settle_quality(o, {.rows = rows, .columns = 10, .outputs = outputs, .classify = classify});
    return o;
  };
  const Options two = of_target(true, 2), three = of_target(true, 3), number = of_target(false, 1);
  CHECK(three.hidden[0] == 2 * two.hidden[0]);
  CHECK(of_target(false, 3).hidden == two.hidden);
  CHECK(number.epochs > two.epochs);
  CHECK(number.early_stop > two.early_stop);
  CHECK(three.early_stop > two.early_stop);
  CHECK(of_target(false, 1, 5000).epochs == of_target(true, 2, 5000).epochs);
  // Whatever was chosen goes together.
  for (const char* quality : {"quick", "good", "best"}) {
    for (const std::size_t columns : {1u, 100u, 5000u}) {
      for (const bool classify : {false, true}) {
        Options o;
        o.quality = quality;
        CHECK(settle_quality(o, {.rows = 3, .columns = columns, .outputs = 1, .classify = classify}).size() == 3);
        validate(o);
      }
    }
  }
}

TEST_CASE("quality: best tries settings that differ in what nobody gave, and not in what comes into the network") {
  const auto to_try = [](const char* quality, void (*change)(Options&)) {
    Options given;
    given.quality = quality;
    change(given);
    Options settled = given;
    settle_quality(settled, {.rows = 500, .columns = 10, .outputs = 2, .classify = true});
    return settings_to_try(given, settled);
  };
  const std::vector<Options> all = to_try("best", [](Options&) {});
  REQUIRE(all.size() == 5);
  for (const Options& o : all) {
    validate(o);
    CHECK(o.bins == all.front().bins);
    CHECK(o.bag == 8);
    CHECK(o.seed == all.front().seed);
  }
  CHECK(all[1].hidden == std::vector<std::int64_t>{256, 256});
  CHECK(all[2].lr < all[0].lr);
  CHECK(all[3].embedding == 2 * all[0].embedding);
  CHECK(all[4].periodic == 16);
  CHECK(all[0].periodic == 0);
  for (const Options& o : to_try("best", [](Options& o) { o.lr = 0.5; })) CHECK(o.lr == 0.5);
  CHECK(to_try("best", [](Options& o) { o.lr = 0.5; }).size() == 3);
  CHECK(to_try("best", [](Options& o) { set_option(o, "embedding", "0"); }).size() == 3);
  CHECK(to_try("good", [](Options&) {}).size() == 1);
  CHECK(to_try("good", [](Options& o) { o.bag = 5; }).size() == 1);
  CHECK(to_try("best", [](Options& o) { o.metrics = "m.jsonl"; }).size() == 1);
}

}  // namespace halfstep::test::embedded
