// Which files a job reads and writes, and that a run refuses before it touches one of them.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "halfstep/error.hpp"
#include "halfstep/jobs.hpp"
#include "io/temp_dir.hpp"

namespace halfstep::internal {
namespace {

bool holds(const std::vector<NamedFile>& files, const std::string& role, const std::string& path) {
  return std::any_of(files.begin(), files.end(), [&](const NamedFile& f) { return f.role == role && f.path == path; });
}

}  // namespace

TEST_CASE("files that a job reads: parts of a folder, labels by name, the test set") {
  const test::TempDir dir;
  std::filesystem::create_directory(dir / "set");
  for (const char* name : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "model.safetensors"}) {
    test::write_bytes(dir / "set/" + name, "x");
  }
  Options options;
  const std::string images = dir / "set/train-images-idx3-ubyte", labels = dir / "set/train-labels-idx1-ubyte.gz";
  const std::vector<NamedFile> folder = files_read(dir / "set", options);
  CHECK(holds(folder, "a file of the data", images));
  CHECK(holds(folder, "a file of the data", labels));
  CHECK(folder.size() == 3);  // a model that is kept there may be written again
  CHECK(holds(files_read(images, options), "the labels of the data", labels));
  options.test = images;
  CHECK(holds(files_read("-", options), "the labels of --test", labels));
  options.labels = "l.idx";
  CHECK(holds(files_read("-", options), "--labels", "l.idx"));
  CHECK_FALSE(holds(files_read(images, options), "the labels of the data", labels));
}

TEST_CASE("files that a run writes") {
  Options options;
  CHECK(holds(files_written(options), "--out", "model.safetensors"));
  options.out = "a/b.c.d";
  options.metrics = "m";
  options.report = "r";
  CHECK(holds(files_written(options), "the last good weights of --out", "a/b.c.last-good.d"));
  CHECK(holds(files_written(options), "--metrics", "m"));
  CHECK(holds(files_written(options), "--report", "r"));
}

TEST_CASE("a run that would overwrite its labels is refused and leaves them") {
  const test::TempDir dir;
  test::write_bytes(dir / "images-idx3-ubyte", "x");
  test::write_bytes(dir / "labels-idx1-ubyte", "y");
  for (std::string Options::*output : {&Options::out, &Options::metrics, &Options::report}) {
    Options options;
    options.out = dir / "m";
    options.*output = dir / "./labels-idx1-ubyte";
    CHECK_THROWS_WITH_AS(train(dir / "images-idx3-ubyte", options, {}), doctest::Contains("the labels of the data"),
                         Error);
    CHECK(test::read_bytes(dir / "labels-idx1-ubyte") == "y");
  }
  CHECK(dir.entries() == 2);
}

}  // namespace halfstep::internal
