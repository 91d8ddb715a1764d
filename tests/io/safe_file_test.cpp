#include "io/safe_file.hpp"

#include <doctest/doctest.h>

#include <csignal>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "halfstep/error.hpp"
#include "halfstep/files.hpp"
#include "io/temp_dir.hpp"

namespace io = halfstep::internal::io;
namespace fs = std::filesystem;
using halfstep::Error;
using halfstep::Status;
using halfstep::test::read_bytes;
using halfstep::test::TempDir;
using halfstep::test::write_bytes;

namespace {

// Both ways to fail must fail alike.
void check_refused(const std::string& path) {
  CAPTURE(path);
  for (const bool probe : {true, false}) {
    try {
      probe ? io::write_probe(path) : halfstep::write_file(path, "new");
      FAIL("accepted");
    } catch (const Error& error) {
      CHECK(error.status() == Status::io);
      CHECK(!error.parts().why.empty());
      CHECK(!error.parts().kept.empty());
    }
  }
}

}  // namespace

TEST_CASE("safe_file: writes, replaces and leaves nothing else") {
  const TempDir dir;
  halfstep::write_file(dir / "a", "first");
  CHECK(read_bytes(dir / "a") == "first");
  const io::Bytes parts[] = {io::as_bytes("se"), io::as_bytes(""), io::as_bytes("cond")};
  io::write_file_atomic(dir / "a", parts);
  CHECK(read_bytes(dir / "a") == "second");
  halfstep::write_file(dir / "a", "");
  CHECK(read_bytes(dir / "a").empty());
  CHECK(dir.entries() == 1);
}

TEST_CASE("safe_file: a probe leaves nothing behind and changes nothing") {
  const TempDir dir;
  io::write_probe(dir / "a");
  CHECK(dir.entries() == 0);
  write_bytes(dir / "a", "old");
  io::write_probe(dir / "a");
  CHECK(read_bytes(dir / "a") == "old");
  CHECK(dir.entries() == 1);
}

TEST_CASE("safe_file: links are followed, also to a file that is not there yet") {
  const TempDir dir;
  fs::create_directory(dir / "real");
  fs::create_symlink("real/file", dir / "link");
  halfstep::write_file(dir / "link", "one");
  halfstep::write_file(dir / "link", "two");
  CHECK(fs::is_symlink(dir / "link"));
  CHECK(read_bytes(dir / "real/file") == "two");
  fs::create_symlink("loop", dir / "loop");
  check_refused(dir / "loop");
}

TEST_CASE("safe_file: the mode of an existing file stays") {
  const TempDir dir;
  write_bytes(dir / "a", "old");
  REQUIRE(::chmod((dir / "a").c_str(), 0640) == 0);
  halfstep::write_file(dir / "a", "new");
  struct stat status {};
  REQUIRE(::stat((dir / "a").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);
}

TEST_CASE("safe_file: refusals leave nothing behind") {
  const TempDir dir;
  fs::create_directory(dir / "folder");
  write_bytes(dir / "file", "old");
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  for (const char* name : {"folder", "folder/", "missing/a", "file/a", "pipe", "missing/"}) check_refused(dir / name);
  check_refused("");
  check_refused("/dev/null");
  check_refused(dir / std::string(300, 'x'));
  CHECK(read_bytes(dir / "file") == "old");
  CHECK(dir.entries() == 3);
}

TEST_CASE("safe_file: a read-only folder" * doctest::skip(::geteuid() == 0)) {
  const TempDir dir;
  fs::create_directory(dir / "folder");
  REQUIRE(::chmod((dir / "folder").c_str(), 0500) == 0);
  check_refused(dir / "folder/a");
  CHECK(fs::is_empty(dir / "folder"));
}

TEST_CASE("safe_file: when the space ends the old file stays and the temporary goes") {
  const TempDir dir;
  write_bytes(dir / "a", "old");
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
  rlimit tight = limit;
  tight.rlim_cur = 4096;
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
  bool failed = false;
  try {
    halfstep::write_file(dir / "a", std::string(8192, 'x'));
  } catch (const Error& error) {
    failed = error.status() == Status::io && error.parts().kept.find("previous") != std::string::npos;
  }
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  std::signal(SIGXFSZ, before);
  CHECK(failed);
  CHECK(read_bytes(dir / "a") == "old");
  CHECK(dir.entries() == 1);
}

TEST_CASE("safe_file: temporaries of dead writers are removed, others stay") {
  const TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  write_bytes(dir / (".a.tmp-" + std::to_string(child) + "-1"), "dead");
  write_bytes(dir / (".a.tmp-" + std::to_string(::getpid()) + "-1"), "alive");
  write_bytes(dir / (".b.tmp-" + std::to_string(child) + "-1"), "of another file");
  write_bytes(dir / ".a.tmp-notes", "of somebody else");
  io::write_probe(dir / "a");
  CHECK(dir.entries() == 3);
  CHECK_FALSE(fs::exists(dir / (".a.tmp-" + std::to_string(child) + "-1")));
}
