#include "data/read_file.hpp"

#include "data/preprocess.hpp"
#include "data_helpers.hpp"
#include "zip_of.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;
using namespace std::string_view_literals;

namespace {

struct Sample {
  const char* format;
  std::string bytes;
};

// Two rows in each format.
std::vector<Sample> samples() {
  const std::string array = npy_of("|u1", "(2, 3)", "abcdef"), labels = npy_of("|u1", "(2,)", "\0\1"sv);
  return {{"csv", "a,b\n1,2\n3,4\n"},
          {"libsvm", "1 1:2\n-1 2:1\n"},
          {"npy", array},
          {"npz", zip_of({{"x.npy", array}, {"y.npy", labels}})},
          {"idx", idx("\x08\x03\0\0\0\2\0\0\0\1\0\0\0\3"sv, "abcdef")}};
}

// As from standard input, whose bytes are these.
DataPair piped(std::string_view bytes, const std::string& format = "auto") {
  Options options;
  options.format = format;
  return read_bytes({"standard input", {bytes.begin(), bytes.end()}}, "-", options, nullptr, Parts::both);
}

}  // namespace

TEST_SUITE("data/read_file") {
  TEST_CASE("standard input is read in each format, found or named") {
    for (const Sample& sample : samples()) {
      CAPTURE(sample.format);
      const RawData found = piped(sample.bytes).train;
      const RawData named = piped(sample.bytes, sample.format).train;
      CHECK(found.rows() == 2);
      CHECK(named.rows() == 2);
      CHECK(named.remarks.empty());
      const bool doubtful = std::string_view(sample.format) == "libsvm";
      CHECK(found.remarks.size() == (doubtful ? 1 : 0));
      CHECK((found.matrix() != nullptr) == (std::string_view(sample.format) == "idx"));
    }
    CHECK(thrown_by([] { piped("a,b\n1,2\n", "npz"); }).status == Status::format);
    CHECK(thrown_by([] { piped("a,b\n1,2\n", "xlsx"); }).status == Status::invalid_argument);
  }

#if HS_HAVE_ZLIB
  TEST_CASE("each format is unpacked: several members, zeros behind them") {
    const TempFolder folder;
    for (const Sample& sample : samples()) {
      CAPTURE(sample.format);
      const std::size_t half = sample.bytes.size() / 2;
      const std::string packed =
          gzip(sample.bytes.substr(0, half)) + gzip("") + gzip(sample.bytes.substr(half)) + std::string(300, '\0');
      const std::string name = std::string("x.") + sample.format;
      const std::string path = folder.write(name + ".gz", packed);
      CHECK(read_file(path, {}, nullptr, Parts::both).train.rows() == 2);
      // A name that tells nothing of packing.
      CHECK(read_file(folder.write(name, packed), {}, nullptr, Parts::both).train.rows() == 2);
    }
  }
#endif

  TEST_CASE("a name that tells nothing is decided by the content, and told; a name that tells is believed") {
    const TempFolder folder;
    for (const Sample& sample : samples()) {
      CAPTURE(sample.format);
      const std::string path = folder.write("data", sample.bytes);
      if (std::string_view(sample.format) == "csv") {
        const Thrown thrown = thrown_by([&] { read_file(path, {}, nullptr, Parts::both); });
        CHECK(thrown.status == Status::unsupported);
        CHECK(thrown.says("--format csv"));
      } else {
        const RawData raw = read_file(path, {}, nullptr, Parts::both).train;
        REQUIRE(raw.remarks.size() == 1);
        CHECK(raw.remarks[0].find("--format") != std::string::npos);
      }
      Options options;
      options.format = sample.format;
      CHECK(read_file(path, options, nullptr, Parts::both).train.rows() == 2);
    }
    CHECK(thrown_by([&] { read_file(folder.write("x.npy", "1 1:2\n"), {}, nullptr, Parts::both); }).says("NPY"));
    CHECK(thrown_by([&] { read_file(folder.path("none"), {}, nullptr, Parts::both); }).status == Status::io);
  }
}
