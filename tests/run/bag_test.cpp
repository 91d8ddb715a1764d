// Several networks, each trained without another part of the rows, against single runs on these parts.
#include "run/bag.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "halfstep/predictor.hpp"
#include "io/safetensors.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace bag_test {

constexpr int kRowsOfBag = 90;
constexpr std::int64_t kNetworksOfBag = 3;

// Nothing of the rows goes into the inputs: those of a part are the same in a file of their own.
Options bag_options(const test::TempDir& dir) {
  Options options;
  options.hidden = {16};
  options.task = Task::classify;
  options.target = "y";
  options.standardize = "none";
  options.lr = 0.01;
  options.batch = 16;
  options.epochs = 5;
  options.threads = 1;
  options.bag = kNetworksOfBag;
  options.calibrate = "none";
  options.out = dir / "m.safetensors";
  return options;
}

std::vector<std::string> bag_lines(Task task) {
  std::vector<std::string> out;
  for (int i = 0; i < kRowsOfBag; ++i) {
    const double a = (i * 7 % 31) / 16.0 - 1, b = (i * 11 % 23) / 16.0;
    const std::string y = task == Task::regress ? std::to_string(a * b + i % 3) : (a + b > 0.8 ? "yes" : "no");
    out.push_back(std::to_string(a) + "," + std::to_string(b) + "," + y);
  }
  return out;
}

std::string bag_file(const test::TempDir& dir, const char* name, const std::vector<std::string>& all,
                     const std::vector<std::uint32_t>& rows) {
  std::ofstream out(dir / name);
  out << "a,b,y\n";
  for (const std::uint32_t row : rows) out << all[row] << '\n';
  return dir / name;
}

std::vector<std::uint32_t> all_rows_of_file() {
  std::vector<std::uint32_t> rows(kRowsOfBag);
  for (std::uint32_t row = 0; row < kRowsOfBag; ++row) rows[row] = row;
  return rows;
}

// One network of a bag as a model of its own.
std::string one_of_bag(const test::TempDir& dir, const std::string& path, std::size_t network) {
  SavedModel model = load_model(path);
  const std::size_t each = model.tensors.size() / model.networks,
                    prefix = name_in_bag({}, network, model.networks).size();
  const auto first = model.tensors.begin() + static_cast<std::ptrdiff_t>(network * each);
  model.tensors = {first, first + static_cast<std::ptrdiff_t>(each)};
  for (NamedTensor& tensor : model.tensors) tensor.name.erase(0, prefix);
  model.networks = 1;
  save_model(dir / "alone.safetensors", model);
  return dir / "alone.safetensors";
}

std::string bag_refusal(void (*change)(Options&)) {
  const test::TempDir dir;
  Options options = bag_options(dir);
  change(options);
  try {
    validate(options);
  } catch (const Error& error) {
    return error.parts().where;
  }
  return {};
}

}  // namespace bag_test

using namespace bag_test;

TEST_SUITE("run/bag") {
  TEST_CASE(
      "a network of a bag is the run on the rows that it is trained on, to the bit, and is judged by the others") {
    const test::TempDir dir;
    const std::vector<std::string> rows = bag_lines(Task::classify);
    const std::string data = bag_file(dir, "d.csv", rows, all_rows_of_file());
    const Options options = bag_options(dir);
    const std::vector<data::Split> parts = bag_parts(Source(data, options, {}), options);
    REQUIRE(parts.size() == kNetworksOfBag);
    const TrainResult bag = train(data, options, {});
    REQUIRE(bag.bag.size() == kNetworksOfBag);

    Options one = options;
    one.bag = 1;
    one.out = dir / "one.safetensors";
    one.test = bag_file(dir, "held_out.csv", rows, parts[0].validation);
    const TrainResult single = train(bag_file(dir, "train.csv", rows, parts[0].train), one, {});
    CHECK(inspect(one_of_bag(dir, options.out, 0)).weights_digest == single.weights_digest);
    CHECK(bag.bag[0].held_out == single.eval.loss);
    CHECK(bag.bag[0].held_out_rows == single.eval.rows);

    double loss = 0, right = 0;
    for (std::size_t n = 0; n < kNetworksOfBag; ++n) {
      const std::string held_out = bag_file(dir, "part.csv", rows, parts[n].validation);
      const Metrics metrics = evaluate(one_of_bag(dir, options.out, n), held_out, {}).metrics;
      const auto count = static_cast<double>(metrics.rows);
      CHECK(bag.bag[n].held_out == doctest::Approx(metrics.loss).epsilon(1e-12));
      loss += metrics.loss * count / kRowsOfBag;
      right += metrics.accuracy * count / kRowsOfBag;
    }
    CHECK(bag.eval.rows == kRowsOfBag);
    CHECK(bag.eval.loss == doctest::Approx(loss).epsilon(1e-12));
    CHECK(bag.eval.accuracy == doctest::Approx(right).epsilon(1e-12));
    CHECK(bag.weights_digest == inspect(options.out).weights_digest);
  }

  TEST_CASE("it predicts the mean of its networks, in files, in the library and in its test") {
    for (const Task task : {Task::classify, Task::regress}) {
      const test::TempDir dir;
      const std::vector<std::string> rows = bag_lines(task);
      const std::string data = bag_file(dir, "d.csv", rows, all_rows_of_file());
      Options options = bag_options(dir);
      options.task = task;
      options.test = data;
      const TrainResult bag = train(data, options, {});
      const Predictions together = predict(options.out, data, {});
      std::vector<double> mean(together.values.size());
      for (std::size_t n = 0; n < kNetworksOfBag; ++n) {
        const Predictions of_one = predict(one_of_bag(dir, options.out, n), data, {});
        for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += of_one.values[i] / kNetworksOfBag;
      }
      for (std::size_t i = 0; i < mean.size(); ++i) CHECK(together.values[i] == doctest::Approx(mean[i]).epsilon(2e-6));
      CHECK(evaluate(options.out, data, {}).metrics.loss == doctest::Approx(bag.test.loss).epsilon(1e-12));

      const Model model(options.out);
      std::vector<float> x;
      for (const std::string& row : rows) {
        x.push_back(std::stof(row));
        x.push_back(std::stof(row.substr(row.find(',') + 1)));
      }
      const std::vector<float> said = model.predict(x);
      REQUIRE(said.size() == together.values.size());
      for (std::size_t i = 0; i < said.size(); ++i) CHECK(said[i] == static_cast<float>(together.values[i]));
    }
  }

  TEST_CASE("intervals and temperature go by all rows, each as the network says that has not seen it") {
    const test::TempDir dir;
    Options options = bag_options(dir);
    options.calibrate = "temperature";
    const std::string data = bag_file(dir, "d.csv", bag_lines(Task::classify), all_rows_of_file());
    const TrainResult classes = train(data, options, {});
    CHECK(classes.temperature != 1);
    CHECK(classes.calibration.find("the 90 rows held out") != std::string::npos);
    CHECK(inspect(options.out).temperature == classes.temperature);

    options = bag_options(dir);
    options.task = Task::regress;
    const std::string values = bag_file(dir, "v.csv", bag_lines(Task::regress), all_rows_of_file());
    CHECK(train(values, options, {}).intervals.find("90 rows") != std::string::npos);
    const Predictions wide = predict(options.out, values, {}, 0.9);
    for (std::size_t i = 0; i < wide.values.size(); ++i) CHECK(wide.lower[i] < wide.upper[i]);
  }

  TEST_CASE("of several settings those are taken that do best on rows held out, and the bag is theirs to the bit") {
    const test::TempDir dir;
    const std::string data = bag_file(dir, "d.csv", bag_lines(Task::regress), all_rows_of_file());
    Options options;
    options.quality = "best";
    options.target = "y";
    options.epochs = 1;
    options.bag = kNetworksOfBag;
    options.threads = 2;
    options.out = dir / "m.safetensors";
    std::size_t told = 0;
    std::vector<std::int64_t> numbers;
    TrainObserver observer;
    std::int64_t trials = 0;
    observer.on_trial = [&](const BaggedNetwork& network, std::int64_t done, std::int64_t of) {
      CHECK(told == 0);
      CHECK(done == ++trials);
      CHECK(of == 10);
      CHECK(network.epochs > 0);
    };
    observer.on_tried = [&](const std::vector<TriedSettings>& tried) { told = tried.size(); };
    observer.on_network = [&](const BaggedNetwork& network, std::int64_t, std::int64_t) {
      numbers.push_back(network.number);
    };
    const TrainResult searched = train(data, options, observer);
    CHECK(told == 5);
    CHECK(numbers == std::vector<std::int64_t>{3});  // two parts have their networks from the search
    REQUIRE(searched.tried.size() == 5);
    REQUIRE(searched.bag.size() == kNetworksOfBag);
    Options again = options;
    for (const TriedSettings& settings : searched.tried) {
      CHECK(settings.rows == searched.bag[0].held_out_rows + searched.bag[1].held_out_rows);
      if (!settings.taken) continue;
      for (const TriedSettings& other : searched.tried) CHECK(settings.held_out <= other.held_out);
      for (const auto& [parameter, value] : settings.parameters) set_option(again, parameter, value);
    }
    again.threads = 1;
    again.out = dir / "again.safetensors";
    const TrainResult told_so = train(data, again, {});
    CHECK(told_so.tried.empty());
    CHECK(told_so.weights_digest == searched.weights_digest);
    CHECK(told_so.eval.loss == searched.eval.loss);
  }

  TEST_CASE("the same bits whatever trains beside what") {
    const test::TempDir dir;
    const std::string data = bag_file(dir, "d.csv", bag_lines(Task::classify), all_rows_of_file());
    Options options = bag_options(dir);
    options.dropout = 0.1;
    options.early_stop = 2;
    const std::string digest = train(data, options, {}).weights_digest;
    for (const int threads : {2, 3, 5}) {
      options.threads = threads;
      CHECK(train(data, options, {}).weights_digest == digest);
    }
    options.seed = 1;
    CHECK(train(data, options, {}).weights_digest != digest);
  }

  TEST_CASE("a run that is stopped has the networks that are there, and one that fails has none") {
    const test::TempDir dir;
    const std::string data = bag_file(dir, "d.csv", bag_lines(Task::classify), all_rows_of_file());
    for (const int threads : {1, 2}) {
      Options options = bag_options(dir);
      options.threads = threads;
      options.epochs = 300;
      std::int64_t done = 0;
      TrainObserver observer;
      observer.on_network = [&](const BaggedNetwork& network, std::int64_t count, std::int64_t of) {
        CHECK(of == kNetworksOfBag);
        CHECK(network.epochs > 0);
        done = count;
      };
      observer.should_stop = [&] { return done > 0; };
      const TrainResult stopped = train(data, options, observer);
      CHECK(stopped.bag.size() >= 1);
      CHECK(stopped.bag.size() <= kNetworksOfBag);
      CHECK(predict(options.out, data, {}).predicted.size() == kRowsOfBag);

      observer.should_stop = [] { return true; };
      const TrainResult at_once = train(data, options, observer);
      CHECK(at_once.stopped);
      CHECK(at_once.bag.size() >= 1);

      observer.should_stop = {};
      observer.on_network = [](const BaggedNetwork&, std::int64_t, std::int64_t) { throw std::string("mine"); };
      CHECK_THROWS_AS(train(data, options, observer), std::string);
      options.lr = 1e30;
      CHECK_THROWS_AS(train(data, options, {}), Error);
    }
  }

  TEST_CASE("the page of a bag shows its networks, and each row as one sees it that was not trained on it") {
    const test::TempDir dir;
    for (const Task task : {Task::classify, Task::regress}) {
      std::vector<std::string> lines = bag_lines(task);
      lines[40] = task == Task::classify ? "0.9,1.4,no" : "0.9,1.4,1000";  // what nobody would say
      const std::string data = bag_file(dir, "d.csv", lines, all_rows_of_file());
      Options options = bag_options(dir);
      options.task = task;
      options.epochs = 60;
      options.report = dir / "r.html";
      const TrainResult result = train(data, options, {});
      CHECK(result.report == options.report);
      std::ifstream in(options.report);
      const std::string page((std::istreambuf_iterator<char>(in)), {});
      const auto has = [&](const std::string& text) { return page.find(text) != std::string::npos; };
      CHECK(has("The networks"));
      CHECK(has("3 networks that answer together"));
      CHECK(has("By how much the loss of 90 held-out rows"));
      CHECK(has(result.weights_digest));
      const std::string worst = page.substr(page.find("Rows it gets most wrong"));
      CHECK(worst.substr(worst.find("line "), 7) == "line 42");
      options.out = dir / "again.safetensors";
      options.report.clear();
      CHECK(train(data, options, {}).weights_digest == result.weights_digest);
    }
  }

  TEST_CASE("what is of one network alone is refused") {
    CHECK(bag_refusal([](Options&) {}).empty());
    CHECK(bag_refusal([](Options& o) { o.validation = 0.1; }) == "--bag, --validation");
    CHECK(bag_refusal([](Options& o) { o.split = "ordered"; }) == "--bag, --split");
    CHECK(bag_refusal([](Options& o) { o.metrics = "m.jsonl"; }) == "--bag, --metrics");
    CHECK(bag_refusal([](Options& o) { o.checkpoint_dir = "c"; }).empty());
    CHECK(bag_refusal([](Options& o) {
            o.checkpoint_dir = "c";
            o.checkpoint_minutes = 5;
          }) == "--bag, --checkpoint-minutes");
    CHECK(bag_refusal([](Options& o) { o.on_nonfinite = "stop"; }) == "--bag, --on-nonfinite");
    CHECK(bag_refusal([](Options& o) { o.cache = "folder"; }) == "--bag, --cache");
    CHECK(bag_refusal([](Options& o) {
            o.early_stop = 3;
            o.refit = true;
          }) == "--bag, --refit");

    const test::TempDir dir;
    const std::string data = bag_file(dir, "d.csv", bag_lines(Task::classify), all_rows_of_file());
    Options options = bag_options(dir);
    train(data, options, {});
    Options next = options;
    next.bag = 1;
    next.init_from = options.out;
    next.out = dir / "next.safetensors";
    CHECK_THROWS_AS(train(data, next, {}), Error);
    options.bag = kRowsOfBag + 1;
    CHECK_THROWS_AS(train(data, options, {}), Error);
  }

  TEST_CASE("a file with another number of networks than it says is refused") {
    const test::TempDir dir;
    const std::string data = bag_file(dir, "d.csv", bag_lines(Task::classify), all_rows_of_file());
    const Options options = bag_options(dir);
    train(data, options, {});
    for (const char* count : {"1", "2", "4", "0", "-3", "1001", "x", ""}) {
      io::File file = io::read_safetensors(options.out);
      for (auto& [key, value] : file.metadata) {
        if (key == "halfstep.networks") value = count;
      }
      CHECK_THROWS_AS(model_of(file, options.out), Error);
    }
  }
}

}  // namespace halfstep::internal
