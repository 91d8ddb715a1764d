#include <sys/stat.h>

#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

TEST_SUITE("data/source") {
  TEST_CASE("a file is read whole") {
    const TempFolder folder;
    const std::string big(300000, 'x');
    CHECK(read_source(folder.write("a.csv", big)).text() == big);
    CHECK(read_source(folder.write("empty.csv", "")).bytes.empty());
  }

  TEST_CASE("what the operating system refuses is io, a folder is format") {
    const TempFolder folder;
    const Thrown missing = thrown_by([&] { read_source(folder.path("none.csv")); });
    CHECK(missing.status == Status::io);
    CHECK(missing.says("No such file"));
    CHECK(thrown_by([&] { read_source(folder.path()); }).status == Status::format);
    const std::string closed = folder.write("closed.csv", "1");
    chmod(closed.c_str(), 0);
    if (geteuid() != 0) {
      CHECK(thrown_by([&] { read_source(closed); }).status == Status::io);
    }
  }

  TEST_CASE("the byte budget holds before decompression") {
    const TempFolder folder;
    const std::string path = folder.write("a.csv", "12345678");
    CHECK(read_source(path, 8).bytes.size() == 8);
    CHECK(thrown_by([&] { read_source(path, 7); }).status == Status::limit);
  }

#if HS_HAVE_ZLIB
  TEST_CASE("gzip is known by name or by its first bytes, members follow each other") {
    const TempFolder folder;
    CHECK(read_source(folder.write("a.csv.gz", gzip("a,b\n1,2\n"))).text() == "a,b\n1,2\n");
    CHECK(read_source(folder.write("a.csv", gzip("a,b\n"))).text() == "a,b\n");
    CHECK(read_source(folder.write("two.gz", gzip("one\n") + gzip("") + gzip("two\n"))).text() == "one\ntwo\n");
    CHECK(read_source(folder.write("none.gz", gzip(""))).bytes.empty());
    const std::string filled = gzip("one\n") + gzip("two\n") + std::string(512, '\0');
    CHECK(read_source(folder.write("filled.gz", filled)).text() == "one\ntwo\n");
  }

  TEST_CASE("gzip cut off at any length is an error") {
    const std::string packed = gzip("a,b\n1,2\n3,4\n1,2\n3,4\n");
    for (std::size_t length = 0; length < packed.size(); ++length) {
      CAPTURE(length);
      CHECK(thrown_by([&] { gunzip(packed.substr(0, length), "a.gz"); }).status == Status::format);
      // Second member cut; at length 0 there is none.
      const bool whole = thrown_by([&] { gunzip(packed + packed.substr(0, length), "a.gz"); }).status == Status::ok;
      CHECK(whole == (length == 0));
    }
  }

  TEST_CASE("damaged gzip is an error") {
    const std::string packed = gzip("a,b\n1,2\n3,4\n1,2\n3,4\n");
    const auto status = [](const std::string& bytes) { return thrown_by([&] { gunzip(bytes, "a.gz"); }).status; };
    std::string bad_crc = packed;
    bad_crc[packed.size() - 8] = static_cast<char>(bad_crc[packed.size() - 8] ^ 1);
    std::string bad_length = packed;
    bad_length[packed.size() - 1] = static_cast<char>(bad_length[packed.size() - 1] ^ 1);
    CHECK(status(bad_crc) == Status::format);
    CHECK(status(bad_length) == Status::format);
    CHECK(status(packed + "garbage") == Status::format);
    CHECK(status(packed + std::string(1, 'x')) == Status::format);
    CHECK(status(packed + std::string(1, '\0') + "x") == Status::format);
    CHECK(status("a,b\n1,2\n") == Status::format);
    const TempFolder folder;
    const Thrown plain = thrown_by([&] { read_source(folder.write("plain.csv.gz", "a,b\n1,2\n")); });
    CHECK(plain.says("not compressed"));
    CHECK(thrown_by([&] { read_source(folder.write("empty.gz", "")); }).status == Status::format);
  }

  TEST_CASE("a gzip bomb stops at the budget") {
    const std::string packed = gzip(std::string(4000000, '\0'));
    CHECK(gunzip(packed, "a.gz", 4000000).size() == 4000000);
    CHECK(thrown_by([&] { gunzip(packed, "a.gz", 3999999); }).status == Status::limit);
    CHECK(thrown_by([&] { gunzip(packed + packed, "a.gz", 4000000); }).status == Status::limit);
  }
#else
  TEST_CASE("without zlib gzip is unsupported") {
    CHECK(thrown_by([] { gunzip("\x1f\x8b", "a.gz"); }).status == Status::unsupported);
  }
#endif
}
