// Bags that are stopped and go on with the networks that had ended: the same bits as one that never was; and what is
// not gone on with.
#include "run/bag_checkpoint.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <span>

#include "base/rng.hpp"
#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/safetensors.hpp"
#include "io/temp_dir.hpp"
#include "run/bagged_file.hpp"
#include "run/held_out_facts.hpp"
#include "run/model_file.hpp"

namespace halfstep::internal::bag_checkpoint_test {

namespace fs = std::filesystem;

constexpr int kRows = 90;
constexpr std::int64_t kNetworks = 4;

std::string table(const test::TempDir& dir, const char* name, Task task, int shift = 0) {
  std::ofstream out(dir / name);
  out << "a,b,g,y\n";
  for (int i = 0; i < kRows; ++i) {
    const double a = (i * 7 % 31) / 16.0 - 1, b = (i * 11 % 23) / 16.0;
    out << a << ',' << b << ',' << (i + shift) / 5 << ',';
    if (task == Task::regress) {
      out << a * b + i % 3 + 0.5 << '\n';
    } else {
      out << (a + b > 0.8 ? "yes\n" : "no\n");
    }
  }
  return dir / name;
}

Options saved_bag(const test::TempDir& dir) {
  Options options;
  options.hidden = {8};
  options.target = "y";
  options.lr = 0.01;
  options.batch = 16;
  options.epochs = 4;
  options.threads = 1;
  options.bag = kNetworks;
  options.out = dir / "m.safetensors";
  options.checkpoint_dir = dir / "c";
  return options;
}

Options saved_search(const test::TempDir& dir) {
  Options options;
  options.quality = "best";
  options.target = "y";
  options.epochs = 1;
  options.bag = 3;
  options.out = dir / "m.safetensors";
  options.checkpoint_dir = dir / "c";
  return options;
}

Options unsaved(Options options) {
  options.checkpoint_dir.clear();
  options.out += ".whole";
  return options;
}

struct Heard {
  std::int64_t networks = 0;  // told, trials too
  std::int64_t first_done = 0, of = 0;
  std::vector<std::string> notes, warnings;
  std::set<std::string> saved;
};

// Stops once so many networks have been told; -1: never.
TrainResult run_bag_until(const std::string& data, const Options& options, std::int64_t networks, Heard* heard) {
  Heard own;
  Heard& h = heard ? *heard : own;
  TrainObserver observer;
  observer.on_plan = [&](const RunPlan& plan) { h.notes = plan.notes; };
  observer.on_trial = observer.on_network = [&](const BaggedNetwork&, std::int64_t done, std::int64_t of) {
    if (h.networks++ == 0) h.first_done = done;
    h.of = of;
  };
  observer.on_checkpoint = [&](const CheckpointReport& report) { h.saved.insert(report.path); };
  observer.on_warning = [&](const std::string& warning) { h.warnings.push_back(warning); };
  observer.should_stop = [&] { return networks >= 0 && h.networks >= networks; };
  return train(data, options, observer);
}

std::string resumed_digest(const std::string& data, Options options, Heard* heard = nullptr) {
  options.resume = "auto";
  return run_bag_until(data, options, -1, heard).weights_digest;
}

bool said(const std::vector<std::string>& all, const std::string& part) {
  for (const std::string& text : all) {
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

void check_same(const TrainResult& got, const TrainResult& whole) {
  CHECK(got.weights_digest == whole.weights_digest);
  CHECK(got.eval.loss == whole.eval.loss);
  CHECK(got.eval.accuracy == whole.eval.accuracy);
  CHECK(got.train.loss == whole.train.loss);
  CHECK(json::dump(to_json(load_model(got.model).held_out)) == json::dump(to_json(load_model(whole.model).held_out)));
  CHECK(got.intervals == whole.intervals);
  CHECK(got.calibration == whole.calibration);
  CHECK(got.temperature == whole.temperature);
  CHECK(got.metric == whole.metric);
  CHECK(got.loss_scale == whole.loss_scale);
  CHECK(got.ended == whole.ended);
  CHECK(got.steps.attempted == whole.steps.attempted);
  CHECK(got.steps.applied == whole.steps.applied);
  CHECK(got.steps.skipped == whole.steps.skipped);
  REQUIRE(got.ledger.size() == whole.ledger.size());
  for (std::size_t i = 0; i < got.ledger.size(); ++i) CHECK(text(got.ledger[i]) == text(whole.ledger[i]));
  REQUIRE(got.tried.size() == whole.tried.size());
  for (std::size_t i = 0; i < got.tried.size(); ++i) {
    CHECK(got.tried[i].held_out == whole.tried[i].held_out);
    CHECK(got.tried[i].taken == whole.tried[i].taken);
  }
  REQUIRE(got.bag.size() == whole.bag.size());
  for (std::size_t i = 0; i < got.bag.size(); ++i) {
    CHECK(got.bag[i].number == whole.bag[i].number);
    CHECK(got.bag[i].epochs == whole.bag[i].epochs);
    CHECK(got.bag[i].best_epoch == whole.bag[i].best_epoch);
    CHECK(got.bag[i].held_out == whole.bag[i].held_out);
    CHECK(got.bag[i].held_out_rows == whole.bag[i].held_out_rows);
    CHECK(got.bag[i].metric == whole.bag[i].metric);
  }
  CHECK(got.warnings.empty());
}

std::string refusal(const std::string& data, const Options& options) {
  try {
    train(data, options, {});
  } catch (const Error& error) {
    CHECK(error.status() == Status::invalid_argument);
    return error.what();
  }
  return {};
}

// A bag of one run, that is there as a whole.
struct Whole {
  test::TempDir dir;
  std::string data = table(dir, "d.csv", Task::classify);
  Options options = saved_bag(dir);
  std::string digest = train(data, options, {}).weights_digest;
  std::string path(const char* name) const { return options.checkpoint_dir + "/" + name; }
};

TEST_SUITE("run/bag_checkpoint") {
  TEST_CASE("a bag that was stopped after any of its networks has the bits of one that never was") {
    for (const Task task : {Task::classify, Task::regress}) {
      const test::TempDir dir;
      const std::string data = table(dir, "d.csv", task);
      Options options = saved_bag(dir);
      if (task == Task::classify) {
        options.precision = Dtype::fp16, options.loss_scale = "dynamic", options.scale_init = 16777216;
        options.early_stop = 2, options.dropout = 0.1, options.calibrate = "temperature";
      }
      const TrainResult whole = train(data, unsaved(options), {});
      CHECK(whole.checkpoint.empty());
      CHECK(whole.ledger.empty() == (task == Task::regress));
      for (std::int64_t n = 0; n <= kNetworks; ++n) {
        CAPTURE(n);
        fs::remove_all(options.checkpoint_dir);
        options.resume = "";
        options.threads = n % 2 == 0 ? 1 : 3;
        Heard stopped;
        const TrainResult part = run_bag_until(data, options, n, &stopped);
        if (options.threads == 1) CHECK(part.stopped == (n < kNetworks));
        CHECK(part.checkpoint.empty() == stopped.saved.empty());
        if (options.threads == 1) CHECK(stopped.saved.size() == static_cast<std::size_t>(n));
        options.resume = "auto";
        options.threads = n % 2 == 0 ? 3 : 1;
        Heard heard;
        const TrainResult rest = run_bag_until(data, options, -1, &heard);
        check_same(rest, whole);
        const auto there = static_cast<std::int64_t>(stopped.saved.size());
        CHECK(heard.networks == kNetworks - there);
        if (there < kNetworks) CHECK(heard.first_done == there + 1);
        if (there < kNetworks) CHECK(heard.of == kNetworks);
        CHECK(said(heard.notes, std::to_string(there) + " of 4 networks were there already") == (there > 0));
        CHECK((rest.resumed_at > 0) == (there > 0));
        CHECK(fs::exists(rest.checkpoint));
        CHECK(networks_in(options.checkpoint_dir).size() == kNetworks);
      }
    }
  }

  TEST_CASE("so has a search, with what was tried") {
    const test::TempDir dir;
    const std::string data = table(dir, "d.csv", Task::regress);
    Options options = saved_search(dir);
    options.threads = 2;
    const TrainResult whole = train(data, unsaved(options), {});
    constexpr std::int64_t kOfSearch = 11;  // five settings on two parts, and those taken on the third
    for (std::int64_t n = 0; n <= kOfSearch; ++n) {
      CAPTURE(n);
      fs::remove_all(options.checkpoint_dir);
      options.resume = "";
      options.threads = n % 2 == 0 ? 3 : 1;
      Heard stopped;
      run_bag_until(data, options, n, &stopped);
      options.resume = "auto";
      options.threads = n % 2 == 0 ? 1 : 3;
      Heard heard;
      check_same(run_bag_until(data, options, -1, &heard), whole);
      CHECK(heard.networks == kOfSearch - static_cast<std::int64_t>(stopped.saved.size()));
      CHECK(networks_in(options.checkpoint_dir).size() == kOfSearch);
    }
  }

  TEST_CASE("one cut short by a stop or by the time is not saved, and a folder may be gone on with in another") {
    const test::TempDir dir;
    const std::string data = table(dir, "d.csv", Task::classify);
    Options options = saved_bag(dir);
    options.epochs = 4000;
    CHECK(run_bag_until(data, options, 0, nullptr).stopped);
    options.time_limit = 0.01;
    CHECK(train(data, options, {}).ended == "time limit");
    CHECK(networks_in(options.checkpoint_dir).empty());

    options = saved_bag(dir);
    const TrainResult whole = train(data, unsaved(options), {});
    run_bag_until(data, options, 2, nullptr);
    options.resume = options.checkpoint_dir;
    options.checkpoint_dir.clear();
    const TrainResult read_only = train(data, options, {});
    check_same(read_only, whole);
    CHECK(read_only.resumed_at > 0);
    CHECK(read_only.checkpoint.empty());
    CHECK(networks_in(options.resume).size() == 2);
    options.checkpoint_dir = dir / "other";
    CHECK(run_bag_until(data, options, 1, nullptr).stopped);
    CHECK(networks_in(options.checkpoint_dir).size() == 3);
    CHECK(resumed_digest(data, options) == whole.weights_digest);
    CHECK(networks_in(options.checkpoint_dir).size() == 4);
  }

  TEST_CASE("no truncation and no flipped bit is taken for a network") {
    const Whole whole;
    const std::string path = whole.path("network-1-2.safetensors"), bytes = test::read_bytes(path);
    CHECK(bagged_network_of(io::read_safetensors(path), path).model.tensors.size() == 4);
    std::size_t taken = 0, tries = 0;
    const auto try_bytes = [&](const std::string& damaged) {
      test::write_bytes(path, damaged);
      const bool whole_run = tries++ % 400 == 0;
      try {
        (void)bagged_network_of(io::read_safetensors(path), path);
        ++taken;
      } catch (const Error& error) {
        taken += error.status() == Status::internal ? 1 : 0;
      }
      if (!whole_run) return;
      Heard heard;
      CHECK(resumed_digest(whole.data, whole.options, &heard) == whole.digest);
      CHECK(said(heard.notes, "network-1-2.safetensors"));
      CHECK(said(heard.notes, "passed over, and trained again"));
      CHECK(said(heard.notes, "3 of 4 networks"));
      CHECK(test::read_bytes(path).size() == bytes.size());
    };
    for (std::size_t size = 0; size < bytes.size(); size += size < 200 ? 1 : 7) try_bytes(bytes.substr(0, size));
    for (std::size_t i = 0; i < bytes.size(); i += i < 200 ? 1 : 5) {
      for (int bit = 0; bit < 8; bit += i < 200 ? 1 : 3) {
        std::string damaged = bytes;
        damaged[i] = static_cast<char>(damaged[i] ^ 1 << bit);
        try_bytes(damaged);
      }
    }
    CHECK(taken == 0);
  }

  TEST_CASE("a whole file that says what no network has is passed over") {
    const Whole whole;
    const std::string path = whole.path("network-1-2.safetensors"), bytes = test::read_bytes(path);
    const auto digest_after = [&](const auto& change) {
      test::write_bytes(path, bytes);
      io::File file = io::read_safetensors(path);
      std::vector<std::vector<std::byte>> own;  // of tensors that change
      change(file, own);
      io::write_safetensors(path, file);
      Heard heard;
      const std::string digest = resumed_digest(whole.data, whole.options, &heard);
      CHECK(said(heard.notes, "passed over, and trained again"));
      return digest;
    };
    using Own = std::vector<std::vector<std::byte>>;
    const std::pair<const char*, const char*> texts[] = {
        {"\"settings\":0", "\"settings\":1"}, {"\"settings\":0", "\"settings\":-1"},
        {"\"part\":1", "\"part\":0"},         {"\"part\":1", "\"part\":4"},
        {"\"part\":1", "\"part\":99999999"},  {"\"part\":1", "\"other\":1"},
        {"\"epochs\":4", "\"epochs\":-4"},    {"\"metric\":\"", "\"metric\":\"no "},
        {"\"skipped\":0", "\"skipped\":-1"},  {"ledger.count\":0", "ledger.count\":99999999"},
        {"ledger.count", "ledger.counts"}};
    for (const auto& text : texts) {
      CAPTURE(text.second);
      CHECK(digest_after([&](io::File& file, Own&) {
              for (auto& [key, value] : file.metadata) {
                if (key != "halfstep.state") continue;
                const std::string from = text.first;
                const std::size_t at = value.find(from);
                REQUIRE(at != std::string::npos);
                value.replace(at, from.size(), text.second);
              }
            }) == whole.digest);
    }
    for (const char* count : {"2", "1000"}) {
      CHECK(digest_after([&](io::File& file, Own&) { file.metadata.emplace_back("halfstep.networks", count); }) ==
            whole.digest);
    }
    for (const char* name : {"state.logits", "state.spreads", "layers.0.weight", "layers.1.bias"}) {
      CAPTURE(name);
      const auto at = [&](io::File& file) {
        const auto found =
            std::find_if(file.tensors.begin(), file.tensors.end(), [&](const io::Tensor& t) { return t.name == name; });
        REQUIRE(found != file.tensors.end());
        return found;
      };
      CHECK(digest_after([&](io::File& file, Own&) { file.tensors.erase(at(file)); }) == whole.digest);
      CHECK(digest_after([&](io::File& file, Own&) { at(file)->name += "s"; }) == whole.digest);
      CHECK(digest_after([&](io::File& file, Own&) {
              at(file)->shape = {0};
              at(file)->bytes = {};
            }) == whole.digest);
      CHECK(digest_after([&](io::File& file, Own& own) {
              own.emplace_back(at(file)->bytes.begin(), at(file)->bytes.end());
              own.back().resize(own.back().size() * 2);
              at(file)->shape[0] *= 2;
              at(file)->bytes = own.back();
            }) == whole.digest);
      CHECK(digest_after([&](io::File& file, Own& own) {
              own.emplace_back(at(file)->bytes.size(), std::byte{0xff});  // NaN
              at(file)->bytes = own.back();
            }) == whole.digest);
    }
    CHECK(digest_after([&](io::File& file, Own&) {
            for (auto& [key, value] : file.metadata) {
              const std::size_t at = key == "halfstep.model" ? value.find("relu") : std::string::npos;
              if (at != std::string::npos) value.replace(at, 4, "tanh");
            }
          }) == whole.digest);
    test::write_bytes(path, test::read_bytes(whole.path("network-1-1.safetensors")));
    Heard heard;
    CHECK(resumed_digest(whole.data, whole.options, &heard) == whole.digest);
    CHECK(said(heard.notes, "another network of the run than its name says"));
  }

  TEST_CASE("whatever a whole file says, it is taken, passed over or refused") {
    const Whole whole;
    const std::string path = whole.path("network-1-2.safetensors"), bytes = test::read_bytes(path);
    Rng rng(7, 1);
    std::int64_t taken = 0, passed = 0, refused = 0;
    for (std::uint64_t i = 0; i < 400; ++i) {
      test::write_bytes(path, bytes);
      io::File file = io::read_safetensors(path);
      std::string& value = file.metadata[rng.u32(4 * i) % file.metadata.size()].second;
      const std::string other = "0123456789-.,:{}[]\"e \\";
      if (!value.empty()) value[rng.u32(4 * i + 1) % value.size()] = other[rng.u32(4 * i + 2) % other.size()];
      io::write_safetensors(path, file);
      Heard heard;
      try {
        resumed_digest(whole.data, whole.options, &heard);
        ++(said(heard.notes, "passed over") ? passed : taken);
      } catch (const Error& error) {
        CHECK(error.status() != Status::internal);
        ++refused;
      }
    }
    CHECK(taken > 0);
    CHECK(passed > 0);
    CHECK(refused > 0);
  }

  TEST_CASE("another run is refused, and the difference named") {
    const Whole whole;
    const auto refused = [&](void (*change)(Options&)) {
      Options options = whole.options;
      options.resume = "auto";
      change(options);
      return refusal(whole.data, options);
    };
    const auto has = [](const std::string& text, const std::string& part) {
      CAPTURE(text);
      CHECK(text.find(part) != std::string::npos);
    };
    has(refused([](Options& o) { o.seed = 5; }), "--seed is 5 here, 0 then");
    has(refused([](Options& o) { o.hidden = {9}; }), "--hidden is 9 here, 8 then");
    has(refused([](Options& o) { o.epochs = 5; }), "--epochs is 5 here, 4 then");
    has(refused([](Options& o) { o.bag = 3; }), "--bag is 3 here, 4 then");
    has(refused([](Options& o) { o.calibrate = "temperature"; }), "--calibrate is temperature here, auto then");
    has(refused([](Options& o) { o.resume = ""; }), "--resume auto");
    has(refused([](Options& o) { o.bag = 1; }), "of the networks of a bag");
    CHECK(refused([](Options& o) { o.threads = 2; }).empty());

    Options options = whole.options;
    options.resume = "auto";
    has(refusal(table(whole.dir, "other.csv", Task::classify, 2), options), "as many rows, with other values");
    // Groups are no inputs, and yet they say which rows a network has.
    options.group = "g";
    options.checkpoint_dir = whole.dir / "g";
    options.resume = "";
    CHECK(refusal(whole.data, options).empty());
    options.resume = "auto";
    has(refusal(table(whole.dir, "other.csv", Task::classify, 2), options), "as many rows, with other values");

    options = whole.options;
    options.bag = 1;
    options.checkpoint_dir = whole.dir / "single";
    train(whole.data, options, {});
    options.resume = "auto";
    options.bag = kNetworks;
    has(refusal(whole.data, options), "it is of a single network, and this run trains several");
    options.resume = whole.options.checkpoint_dir;
    has(refusal(whole.data, options), "it is of a single network");
    options.checkpoint_dir.clear();
    options.resume = whole.path("network-1-1.safetensors");
    CHECK_THROWS_WITH_AS(train(whole.data, options, {}), doctest::Contains("one network of a bag"), Error);

    const test::TempDir dir;
    options = saved_search(dir);
    const std::string data = table(dir, "d.csv", Task::regress);
    run_bag_until(data, options, 3, nullptr);
    options.resume = "auto";
    options.named.push_back("lr");
    has(refusal(data, options), " here, ");
  }

  TEST_CASE("a network that cannot be saved is told, and in the bag all the same") {
    for (const int threads : {1, 3}) {
      const test::TempDir dir;
      const std::string data = table(dir, "d.csv", Task::classify);
      Options options = saved_bag(dir);
      options.threads = threads;
      const std::string digest = train(data, unsaved(options), {}).weights_digest;
      std::vector<std::string> warnings;
      TrainObserver observer;
      observer.on_plan = [&](const RunPlan&) { fs::rename(options.checkpoint_dir, dir / "away"); };
      observer.on_warning = [&](const std::string& warning) { warnings.push_back(warning); };
      const TrainResult result = train(data, options, observer);
      CHECK(result.weights_digest == digest);
      CHECK(result.checkpoint.empty());
      CHECK(warnings.size() == kNetworks);
      CHECK(result.warnings.size() == kNetworks);
      CHECK(said(result.warnings, "network 2 is not saved: "));
    }
  }

  TEST_CASE("a network's file is a model of its own, and says what it is") {
    const Whole whole;
    const std::string path = whole.path("network-1-3.safetensors");
    const Verification verified = verify(path);
    CHECK(verified.good);
    CHECK(verified.kind == "network of a bag, number 3, settings 1");
    const ModelSummary summary = inspect(path);
    CHECK(summary.format.find("network of a bag") != std::string::npos);
    CHECK(summary.run.size() >= 6);
    CHECK(predict(path, whole.data, {}).predicted.size() == kRows);
    CHECK(evaluate(path, whole.data, {}).metrics.rows == kRows);
    test::write_bytes(path, test::read_bytes(path).substr(0, 3000));
    CHECK_FALSE(verify(path).good);
  }

  TEST_CASE("a precision that was chosen stays that of the networks that are there") {
    const test::TempDir dir;
    const std::string data = table(dir, "d.csv", Task::classify);
    Options options = saved_bag(dir);
    set_option(options, "precision", "fp32");
    run_bag_until(data, options, 2, nullptr);
    set_option(options, "precision", "auto");
    options.resume = "auto";
    const TrainResult result = train(data, options, {});
    CHECK(result.precision == "fp32");
    CHECK(result.resumed_at > 0);
    REQUIRE(result.chosen.size() == 1);
    CHECK(result.chosen[0].second == "fp32");
  }
}

}  // namespace halfstep::internal::bag_checkpoint_test
