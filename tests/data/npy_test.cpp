#include "data/npy.hpp"

#include <bit>
#include <cmath>

#include "data/data.hpp"
#include "data/recipe.hpp"
#include "data_helpers.hpp"
#include "zip_of.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
  return bytes;
}

RawData parse(const std::string& bytes) { return parse_npy(testing::source_of(bytes), nullptr, {}, nullptr); }
std::vector<double> column(const std::string& bytes, std::size_t index) {
  const RawData raw = parse(bytes);
  return raw.table()->columns[index].numbers;
}
Status status_of(const std::string& bytes) {
  return thrown_by([&] { parse(bytes); }).status;
}

const std::string kTable = npy_of("<f4", "(2, 3)", bytes_of<float>({1, 2.5f, 7, 4, 0.1f, 8}));

}  // namespace

TEST_SUITE("data/npy") {
  TEST_CASE("two dimensions are a table without names, each number as it is") {
    const RawData raw = parse(kTable);
    REQUIRE(raw.table() != nullptr);
    CHECK(raw.rows() == 2);
    CHECK(raw.table()->columns.size() == 3);
    CHECK(raw.table()->columns[1].name == "c1");
    CHECK_FALSE(raw.table()->has_header);
    CHECK(column(kTable, 0) == std::vector<double>{1, 4});
    CHECK(column(kTable, 1) == std::vector<double>{2.5, static_cast<double>(0.1f)});
  }

  TEST_CASE("each type, in either order of its bytes") {
    const auto first = [](const std::string& type, std::string_view bytes) {
      const std::string values = std::string(bytes) + std::string(bytes);
      return column(npy_of(type, "(1, 2)", values), 0).at(0);
    };
    CHECK(first("|b1", "\2"sv) == 1);
    CHECK(first("|u1", "\xff"sv) == 255);
    CHECK(first("|i1", "\xff"sv) == -1);
    CHECK(first("<i2", "\xfe\xff"sv) == -2);
    CHECK(first(">i2", "\xff\xfe"sv) == -2);
    CHECK(first("<u2", "\xfe\xff"sv) == 65534);
    CHECK(first("<i4", "\0\0\1\0"sv) == 65536);
    CHECK(first(">u4", "\xff\xff\xff\xff"sv) == 4294967295.0);
    CHECK(first("<i8", bytes_of<std::int64_t>({-9007199254740993})) == -9007199254740992.0);
    CHECK(first("<f2", "\0\x3c"sv) == 1);
    CHECK(first("<f2", "\1\0"sv) == 0x1p-24);
    CHECK(first(">f4", "\x3f\x80\0\0"sv) == 1);
    CHECK(first("<f8", bytes_of<double>({1e-300})) == 1e-300);
    CHECK(first(">f8", "\x3f\xf0\0\0\0\0\0\0"sv) == 1);
    CHECK(first("=f8", bytes_of<double>({1e20})) == 1e20);
  }

  TEST_CASE("NaN is a missing value, infinity an error with its place") {
    const RawData raw = parse(npy_of("<f8", "(3, 2)", bytes_of<double>({1, NAN, 2, 5, 3, 6})));
    CHECK(raw.table()->columns[1].missing(0));
    CHECK_FALSE(raw.table()->columns[1].missing(1));
    const Thrown thrown = thrown_by([] { parse(npy_of("<f8", "(2, 2)", bytes_of<double>({1, 2, 3, INFINITY}))); });
    CHECK(thrown.status == Status::format);
    CHECK(thrown.says("row 1, column 1"));
  }

  TEST_CASE("large integers keep their digits as names, large floats are numbers") {
    const std::string ids = npy_of("<i8", "(2, 2)", bytes_of<std::int64_t>({1, 9007199254740993, 2, 9007199254740995}));
    const RawData raw = parse(ids);  // the last column is the target: its texts are kept
    CHECK(raw.table()->columns[1].values == std::vector<std::string>{"9007199254740993", "9007199254740995"});
    const RawData floats = parse(npy_of("<f8", "(2, 2)", bytes_of<double>({1e20, 1, 3, 2})));
    CHECK_FALSE(floats.table()->columns[0].is_text);
  }

  TEST_CASE("Fortran's order is put back, in three dimensions too") {
    CHECK(column(npy_of("<i4", "(2, 3)", bytes_of<std::int32_t>({1, 4, 2, 5, 3, 6}), true), 1) ==
          std::vector<double>{2, 5});
    // array[i, j, k] = 100 i + 10 j + k of shape (2, 2, 3)
    std::string values;
    for (std::int32_t k = 0; k < 3; ++k) {
      for (std::int32_t j = 0; j < 2; ++j) {
        for (std::int32_t i = 0; i < 2; ++i) values += bytes_of<std::int32_t>({100 * i + 10 * j + k});
      }
    }
    const RawData raw = parse(npy_of("<i4", "(2, 2, 3)", values, true));
    REQUIRE(raw.matrix() != nullptr);
    CHECK(raw.matrix()->cols == 6);
    CHECK(raw.matrix()->floats == LargeVector<float>{0, 1, 2, 10, 11, 12, 100, 101, 102, 110, 111, 112});
  }

  TEST_CASE("labels of two dimensions are several targets of a table, of pixels they are refused") {
    const TempFolder folder;
    const std::string x = folder.write("x.npy", npy_of("<f8", "(4, 2)", bytes_of<double>({1, 2, 3, 4, 5, 6, 7, 9})));
    Options options;
    options.labels =
        folder.write("y.npy", npy_of("<f8", "(4, 2)", bytes_of<double>({0.5, 10, 1.5, 20, 2.5, 30, NAN, 40})));
    const RawData raw = read_data(x, options);
    REQUIRE(raw.table()->columns.size() == 4);
    CHECK(raw.table()->columns[2].name == "y0");
    CHECK(raw.table()->columns[3].name == "y1");
    CHECK(raw.table()->labels == 2);
    const Preprocessor p = Preprocessor::fit(raw, options);
    CHECK(p.target_description() == "'y0', 'y1': regression, 2 targets");
    CHECK(p.targets()[1].mean == 20);
    CHECK(p.apply(raw, true).targets.size() == 6);
    CHECK(p.apply(read_data(x, {}, &p.recipe()), false).rows == 4);
    Options one = options;
    one.target = "y1";
    const TargetChoice alone = choose_target(read_data(x, one), one);
    REQUIRE(alone.columns.size() == 1);
    CHECK(alone.columns[0].name == "y1");
    CHECK(std::any_of(alone.notes.begin(), alone.notes.end(),
                      [](const std::string& note) { return note.find("inputs: 'y0'") != std::string::npos; }));
    options.labels = folder.write("one.npy", npy_of("<f8", "(4, 1)", bytes_of<double>({0.5, 1, 2, 3})));
    CHECK(read_data(x, options).table()->columns[2].name == "label");
    options.labels = folder.write(
        "deep.npy", npy_of("<f8", "(4, 2, 2)", bytes_of<double>({0.5, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0})));
    CHECK(thrown_by([&] { read_data(x, options); }).says("labels have one number a row"));
    options.labels = folder.write("hot.npy", npy_of("|u1", "(4, 2)", "\1\0\0\1\1\0\0\1"sv));
    CHECK(thrown_by([&] { choose_target(read_data(x, options), options); }).says("numpy.argmax(y, axis=1)"));
    const std::string images = folder.write("i.npy", npy_of("|u1", "(4, 1, 2)", "abcdefgh"));
    CHECK(thrown_by([&] { read_data(images, options); }).says("labels have one number a row"));
  }

  TEST_CASE("labels of a table are its last column, of pixels they stand beside") {
    const TempFolder folder;
    const std::string x = folder.write("x.npy", kTable);
    Options options;
    options.labels = folder.write("y.npy", npy_of("<i8", "(2,)", bytes_of<std::int64_t>({5, 3})));
    const RawData table = read_data(x, options);
    REQUIRE(table.table()->columns.size() == 4);
    CHECK(table.table()->columns[3].name == "label");
    CHECK(table.table()->columns[3].values == std::vector<std::string>{"5", "3"});
    const std::string images = folder.write("i.npy", npy_of("|u1", "(2, 2, 2)", "abcdefgh"));
    const RawData pixels = read_data(images, options);
    CHECK(pixels.matrix()->bytes == LargeVector<std::uint8_t>{'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'});
    CHECK(pixels.matrix()->labels == std::vector<std::int32_t>{5, 3});
    options.labels = folder.write("few.npy", npy_of("<i8", "(1,)", bytes_of<std::int64_t>({5})));
    CHECK(thrown_by([&] { read_data(x, options); }).says("2 rows but 1 labels"));
    CHECK(thrown_by([&] { read_data(images, options); }).says("2 images but 1 labels"));
    options.labels = folder.write("real.npy", npy_of("<f8", "(2,)", bytes_of<double>({0.5, 1.5})));
    CHECK(read_data(x, options).table()->columns[3].name == "label");
    CHECK(thrown_by([&] { read_data(images, options); }).says("integers"));
    options.labels = x;
    CHECK(read_data(x, options).table()->columns.size() == 6);
    CHECK(thrown_by([&] { read_data(images, options); }).says("one number a row"));
  }

  TEST_CASE("a model reads an array by what it knows, with and without its labels") {
    const TempFolder folder;
    Options options;
    const std::string x = folder.write("x.npy", kTable);
    options.labels = folder.write("y.npy", npy_of("<i8", "(2,)", bytes_of<std::int64_t>({5, 3})));
    const Preprocessor fitted = Preprocessor::fit(read_data(x, options), options);
    CHECK(fitted.classes() == std::vector<std::string>{"3", "5"});
    const Examples bare = fitted.apply(read_data(x, {}, &fitted.recipe()), false);
    const Examples full = fitted.apply(read_data(x, options, &fitted.recipe()), true);
    CHECK(bare.x == full.x);
    CHECK(full.labels == std::vector<std::int32_t>{1, 0});
  }

  TEST_CASE("every truncation, extra bytes and lies in the header are errors") {
    for (std::size_t length = 0; length < kTable.size(); ++length) {
      CAPTURE(length);
      CHECK(status_of(kTable.substr(0, length)) == Status::format);
    }
    CHECK(status_of(kTable + "x") == Status::format);
    const std::string values(24, '\0');
    for (const char* shape :
         {"(4294967296, 4294967296)", "(18446744073709551615, 2)", "(18446744073709551616, 2)", "(-2, 3)", "(2.0, 3)",
          "(0, 3)", "(2, 0)", "()", "(6,)", "2, 3", "(2, 3", "(1, 1, 1, 1, 1, 1, 1, 1, 6)"}) {
      CAPTURE(shape);
      CHECK(status_of(npy_of("<f4", shape, values)) == Status::format);
    }
    for (const char* type : {"|O", "<U5", "<c8", "<f16", "<f1", "<i3", "|V4", "f4", "<f44", "<b2", ""}) {
      CAPTURE(type);
      CHECK(status_of(npy_of(type, "(2, 3)", values)) == Status::unsupported);
    }
    std::string version = kTable;
    version[6] = 9;
    CHECK(status_of(version) == Status::unsupported);
    const auto with_header = [&](const std::string& header) {
      return "\x93NUMPY\x01"s + '\0' + static_cast<char>(header.size()) + '\0' + header + values;
    };
    CHECK(status_of(with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6, 1)}\n")) ==
          Status::unsupported);
    for (const char* header :
         {"", "{", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
          "{'descr': '<f4', 'fortran_order': 1, 'shape': (6, 1)}", "{'descr': '<f4', 'more': False, 'shape': (6, 1)}",
          "{'descr': '<f4, 'fortran_order': False, 'shape': (6, 1)}"}) {
      CAPTURE(header);
      CHECK(status_of(with_header(header)) == Status::format);
    }
    CHECK(parse(with_header("{\"shape\":(6,1),\"fortran_order\":False,\"descr\":\"<f4\"}")).rows() == 6);
  }

  TEST_CASE("labels that are none") {
    const auto labels = [](const std::string& bytes) { return parse_npy_labels(testing::source_of(bytes)); };
    CHECK(labels(npy_of("|i1", "(2,)", "\x7f\xff")) == std::vector<std::int32_t>{127, -1});
    CHECK(labels(npy_of("|b1", "(2, 1)", "\1\0"sv)) == std::vector<std::int32_t>{1, 0});
    CHECK_THROWS_AS(labels(npy_of("<i8", "(1,)", bytes_of<std::int64_t>({std::int64_t{1} << 40}))), Error);
    CHECK_THROWS_AS(labels(npy_of("<f4", "(1,)", bytes_of<float>({1}))), Error);
  }
}
