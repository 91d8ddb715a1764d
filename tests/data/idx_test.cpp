#include "data/idx.hpp"
#include "data/data.hpp"
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view kImages = "\x08\x03\0\0\0\2\0\0\0\1\0\0\0\3"sv;  // 2 of 1 x 3
constexpr std::string_view kLabels = "\x08\x01\0\0\0\2"sv;
const std::string kImageFile = idx(kImages, "abcdef");
const std::string kLabelFile = idx(kLabels, "\1\0"sv);

Matrix parse(const std::string& bytes) { return parse_idx({"x", {bytes.begin(), bytes.end()}}); }
Status status_of(const std::string& bytes) {
  return thrown_by([&] { parse(bytes); }).status;
}

Matrix read(const std::string& images, const std::string& labels = {}) {
  Options options;
  options.labels = labels;
  return *read_data(images, options).matrix();
}

}  // namespace

TEST_SUITE("data/idx") {
  TEST_CASE("bytes") {
    const Matrix matrix = parse(kImageFile);
    CHECK(matrix.rows == 2);
    CHECK(matrix.cols == 3);
    CHECK(matrix.bytes == LargeVector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f'});
  }

  TEST_CASE("other types are big-endian") {
    CHECK(parse(idx("\x09\x02\0\0\0\1\0\0\0\1"sv, "\xff")).floats == LargeVector<float>{-1});
    CHECK(parse(idx("\x0b\x02\0\0\0\1\0\0\0\1"sv, "\xff\xfe")).floats == LargeVector<float>{-2});
    CHECK(parse(idx("\x0c\x02\0\0\0\1\0\0\0\1"sv, "\0\1\0\0"sv)).floats == LargeVector<float>{65536});
    CHECK(parse(idx("\x0d\x02\0\0\0\1\0\0\0\1"sv, "\x3f\x80\0\0"sv)).floats == LargeVector<float>{1});
    CHECK(parse(idx("\x0e\x02\0\0\0\1\0\0\0\1"sv, "\x3f\xf0\0\0\0\0\0\0"sv)).floats == LargeVector<float>{1});
    CHECK(status_of(idx("\x0d\x02\0\0\0\1\0\0\0\1"sv, "\x7f\x80\0\0"sv)) == Status::format);
  }

  TEST_CASE("every truncation, extra bytes and lies in the header are errors") {
    for (std::size_t length = 0; length < kImageFile.size(); ++length) {
      CAPTURE(length);
      CHECK(status_of(kImageFile.substr(0, length)) == Status::format);
    }
    CHECK(status_of(kImageFile + "x") == Status::format);
    CHECK(status_of("\1" + kImageFile.substr(1)) == Status::format);
    CHECK(status_of(idx("\x0a\x03"sv, kImageFile.substr(4))) == Status::format);
    CHECK(status_of(idx("\x08\0"sv, kImageFile.substr(4))) == Status::format);
    CHECK(status_of(idx("\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"sv, "abcdef")) == Status::format);
    CHECK(status_of(idx("\x08\x03\x80\0\0\0\x80\0\0\0\0\0\0\4"sv, "")) == Status::format);  // product 2^64
    CHECK(status_of(idx("\x08\x02\0\0\0\0\0\0\0\3"sv, "")) == Status::format);
    CHECK(status_of(kLabelFile) == Status::format);
  }

  TEST_CASE("labels are found by name or named") {
    const TempFolder folder;
    const std::string images = folder.write("a-images-idx3-ubyte", kImageFile);
    CHECK(read(images).labels.empty());
    folder.write("a-labels-idx1-ubyte", kLabelFile);
    CHECK(read(images).labels == std::vector<std::int32_t>{1, 0});
    const std::string own = folder.write("own", idx("\x08\x01\0\0\0\2"sv, "\7\7"));
    CHECK(read(images, own).labels == std::vector<std::int32_t>{7, 7});
    folder.write("a-labels-idx1-ubyte", idx("\x08\x01\0\0\0\3"sv, "abc"));
    const Thrown mismatch = thrown_by([&] { read(images); });
    CHECK(mismatch.status == Status::format);
    CHECK(mismatch.says("2 images but 3 labels"));
    CHECK(thrown_by([&] { read(images, images); }).says("3 dimensions"));
  }

  TEST_CASE("a folder gives train and test") {
    const TempFolder folder;
    for (const char* part : {"train", "t10k"}) {
      folder.write(std::string(part) + "-images-idx3-ubyte", kImageFile);
      folder.write(std::string(part) + "-labels-idx1-ubyte", kLabelFile);
    }
    const DataPair pair = read_train(folder.path(), {});
    REQUIRE(pair.test.has_value());
    const Preprocessor fitted = Preprocessor::fit(pair.train, {});
    CHECK(fitted.classes() == std::vector<std::string>{"0", "1"});
    CHECK(fitted.apply(*pair.test, true).labels == std::vector<std::int32_t>{1, 0});
    CHECK(read_data(folder.path(), {}).rows() == 2);
    std::filesystem::remove(folder.path("train-labels-idx1-ubyte"));
    CHECK(thrown_by([&] { Preprocessor::fit(read_train(folder.path(), {}).train, {}); }).says("--labels"));
    const TempFolder empty;
    CHECK(thrown_by([&] { read_train(empty.path(), {}); }).status == Status::format);
  }
}
