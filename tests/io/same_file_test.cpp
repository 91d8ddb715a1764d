#include <doctest/doctest.h>

#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "halfstep/error.hpp"
#include "halfstep/files.hpp"
#include "io/temp_dir.hpp"

namespace fs = std::filesystem;
using halfstep::check_apart;
using halfstep::Error;
using halfstep::NamedFile;
using halfstep::same_file;
using halfstep::Status;
using halfstep::test::TempDir;
using halfstep::test::write_bytes;

namespace {

// The message of the refusal; empty: accepted.
std::string refusal(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs) {
  try {
    check_apart(outputs, inputs);
  } catch (const Error& error) {
    CHECK(error.status() == Status::invalid_argument);
    return error.what();
  }
  return {};
}

// Standard input from a file, for as long as the object lives.
class RedirectedInput {
 public:
  explicit RedirectedInput(const std::string& path) : before_(::dup(0)) {
    const int file = ::open(path.c_str(), O_RDONLY);
    REQUIRE(::dup2(file, 0) == 0);
    ::close(file);
  }
  ~RedirectedInput() {
    ::dup2(before_, 0);
    ::close(before_);
  }
  RedirectedInput(const RedirectedInput&) = delete;

 private:
  int before_;
};

}  // namespace

TEST_CASE("one file by many names") {
  const TempDir dir;
  write_bytes(dir / "a", "x");
  write_bytes(dir / "b", "x");
  fs::create_directory(dir / "sub");
  fs::create_symlink("a", dir / "link");
  fs::create_symlink("..", dir / "sub/up");
  fs::create_hard_link(dir / "a", dir / "hard");
  for (const char* name : {"a", "./a", "sub/../a", "link", "sub/up/a", "sub/up/link", "hard"}) {
    CAPTURE(name);
    CHECK(same_file(dir / "a", dir / name));
    CHECK(same_file(dir / name, dir / "a"));
    CHECK_FALSE(same_file(dir / name, dir / "b"));
    CHECK_FALSE(same_file(dir / "not there", dir / name));
  }
  CHECK(same_file(dir / "a", fs::relative(dir / "a").string()));
}

TEST_CASE("one file by many names that does not exist yet") {
  const TempDir dir;
  fs::create_directory(dir / "sub");
  fs::create_symlink("..", dir / "sub/up");
  fs::create_symlink("new", dir / "link");
  fs::create_symlink("../link", dir / "sub/link");
  for (const char* name : {"new", "./new", "sub/../new", "sub/up/new", "link", "sub/link"}) {
    CAPTURE(name);
    CHECK(same_file(dir / "new", dir / name));
    CHECK(same_file(dir / name, dir / "new"));
    CHECK_FALSE(same_file(dir / name, dir / "newer"));
  }
  CHECK(same_file("new", "./new"));
  CHECK(same_file("new", (fs::current_path() / "new").string()));
  CHECK_FALSE(same_file("new", dir / "new"));
}

TEST_CASE("links in a circle are no file, and the question ends") {
  const TempDir dir;
  fs::create_symlink("b", dir / "a");
  fs::create_symlink("a", dir / "b");
  CHECK_FALSE(same_file(dir / "a", dir / "c"));
}

TEST_CASE("outputs are kept apart from inputs and from each other") {
  const TempDir dir;
  const std::string data = dir / "d.csv", copy = dir / "./d.csv", out = dir / "m", metrics = dir / "l";
  write_bytes(data, "x");
  CHECK(refusal({{"--out", out}, {"--metrics", metrics}}, {{"the data", data}, {"standard input", "-"}}).empty());
  const std::string both = refusal({{"--out", copy}}, {{"the data", data}});
  CHECK(both.find("--out " + copy) != std::string::npos);
  CHECK(both.find("the data, " + data) != std::string::npos);
  CHECK(both.find("another path for --out") != std::string::npos);
  CHECK(refusal({{"--out", out}, {"--metrics", dir / "./m"}}, {}).find("same file as --out") != std::string::npos);
}

TEST_CASE("a file in standard input is an input, a device is not") {
  const TempDir dir;
  const std::string data = dir / "d.csv";
  write_bytes(data, "x");
  {
    const RedirectedInput input(data);
    CHECK(refusal({{"--out", data}}, {{"the data", "-"}}).find("standard input") != std::string::npos);
    CHECK(refusal({{"--out", dir / "other"}}, {{"the data", "-"}}).empty());
  }
  const RedirectedInput input("/dev/null");
  CHECK(refusal({{"--metrics", "/dev/null"}}, {{"the data", "-"}}).empty());
}
