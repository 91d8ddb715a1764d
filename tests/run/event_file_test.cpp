// Event files as TensorBoard reads them, checked against vectors of its own writer.
#include "run/event_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace {

namespace fs = std::filesystem;

std::string event_bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += static_cast<char>(value);
  return out;
}

const std::string kEightBytes = event_bytes({0, 0, 0, 0, 0, 0, 0});

std::vector<fs::path> event_files(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  return files;
}

Options events_run(const test::TempDir& dir) {
  Options options;
  options.out = dir / "m.safetensors";
  options.hidden = {4};
  options.epochs = 3;
  return options;
}

}  // namespace

TEST_CASE("event file: the bytes of TensorFlow's writer") {
  CHECK(framed_record(version_event(1)) ==
        event_bytes({0x18}) + kEightBytes +
            event_bytes({0xa3, 0x7f, 0x4b, 0x22, 9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x1a}) + "\rbrain.Event:2" +
            event_bytes({0x86, 0xbf, 0x57, 0x7a}));
  const Scalar loss = {"loss", 0.5f};
  CHECK(framed_record(scalars_event(2, 5, {&loss, 1})) ==
        event_bytes({0x1a}) + kEightBytes + event_bytes({0x12, 0x9b, 0xd8, 0x2d, 9,    0,    0,    0,    0,    0, 0,
                                                         0,    0x40, 0x10, 5,    0x2a, 0x0d, 0x0a, 0x0b, 0x0a, 4}) +
            "loss" + event_bytes({0x15, 0, 0, 0, 0x3f, 0xdb, 0x81, 0xa7, 0x14}));
  // A step and a length that take several bytes.
  const std::string wide = scalars_event(0, 300, {});
  CHECK(wide.substr(9) == event_bytes({0x10, 0xac, 2, 0x2a, 0}));
}

TEST_CASE("event file: a run begins one of its own each time, and its weights are the same") {
  const test::TempDir dir;
  Options options = events_run(dir);
  const std::string digest = train("builtin:spirals", options, {}).weights_digest;
  options.tensorboard = dir / "logs/first";
  CHECK(train("builtin:spirals", options, {}).weights_digest == digest);
  CHECK(train("builtin:spirals", options, {}).warnings.empty());
  const std::vector<fs::path> files = event_files(options.tensorboard);
  REQUIRE(files.size() == 2);
  CHECK(files[0].filename().string().starts_with("events.out.tfevents."));
  const std::string bytes = test::read_bytes(files[0].string());
  CHECK(bytes.size() > 300);
  for (const char* tag : {"brain.Event:2", "train/loss", "train/lr", "eval/accuracy"}) {
    CAPTURE(tag);
    CHECK(bytes.find(tag) != std::string::npos);
  }
  options.tensorboard = options.out + "/logs";  // in a file
  CHECK_THROWS_WITH_AS(train("builtin:spirals", options, {}), doctest::Contains("--tensorboard"), Error);
}

}  // namespace halfstep::internal
