// The metrics file: whole lines or none, and a run that outlives it.
#include "run/metrics_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include <sys/resource.h>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace {

// No file may grow beyond `bytes` while this lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : before_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit_) == 0);
    rlimit tight = limit_;
    tight.rlim_cur = bytes;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, before_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;

 private:
  void (*before_)(int);
  rlimit limit_{};
};

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("metrics log: lines, and nothing without a path") {
  const test::TempDir dir;
  MetricsLog log(dir / "m.jsonl");
  log.write({{"step", 1}});
  CHECK(test::read_bytes(dir / "m.jsonl") == "{\"step\":1}\n");
  log.write({{"loss", 0.5}});
  log.close();
  CHECK(test::read_bytes(dir / "m.jsonl") == "{\"step\":1}\n{\"loss\":0.5}\n");
  MetricsLog none("");
  none.write({{"step", 1}});
  none.close();
  CHECK_THROWS_WITH_AS(MetricsLog(dir / "missing/m"), doctest::Contains("--metrics"), Error);
}

TEST_CASE("metrics log: when the space ends whole lines stay, and it is said once") {
  const test::TempDir dir;
  MetricsLog log(dir / "m.jsonl");
  std::vector<std::string> warnings;
  log.on_lost([&](const std::string& warning) { warnings.push_back(warning); });
  {
    const FileSizeLimit limit(25);
    for (int step = 1; step < 6; ++step) log.write({{"step", step}});  // 11 bytes a line
  }
  log.write({{"step", 6}});
  log.close();
  CHECK(test::read_bytes(dir / "m.jsonl") == "{\"step\":1}\n{\"step\":2}\n");
  REQUIRE(warnings.size() == 1);
  CHECK(says(warnings[0], (dir / "m.jsonl").c_str()));
  CHECK(says(warnings[0], "its lines so far, 2, and the run"));
  CHECK(says(warnings[0], "File too large"));
}

TEST_CASE("a run outlives its metrics file, and gives the same weights" *
          doctest::skip(::access("/dev/full", W_OK) != 0)) {
  const test::TempDir dir;
  Options options;
  options.out = dir / "m.safetensors";
  options.hidden = {4};
  options.epochs = 3;
  const std::string digest = train("builtin:spirals", options, {}).weights_digest;
  options.metrics = "/dev/full";
  std::vector<std::string> said;
  std::int64_t epochs = 0;
  TrainObserver observer;
  observer.on_warning = [&](const std::string& warning) { said.push_back(warning); };
  observer.on_epoch = [&](const EpochReport&) {
    ++epochs;
    CHECK(said.size() == 1);  // at once, not at the end
  };
  const TrainResult result = train("builtin:spirals", options, observer);
  CHECK(epochs == 3);
  CHECK(result.warnings == said);
  CHECK(says(said.at(0), "No space left on device"));
  CHECK(result.weights_digest == digest);
  CHECK(inspect(options.out).weights_digest == digest);
}

TEST_CASE("a run with its metrics file has nothing to warn of") {
  const test::TempDir dir;
  Options options;
  options.out = dir / "m.safetensors";
  options.metrics = dir / "m.jsonl";
  options.hidden = {4};
  options.epochs = 2;
  CHECK(train("builtin:spirals", options, {}).warnings.empty());
  const std::string lines = test::read_bytes(options.metrics);
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
}

}  // namespace halfstep::internal
