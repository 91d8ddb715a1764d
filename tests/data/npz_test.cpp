#include "data/npz.hpp"

#include "data/crc32.hpp"
#include "data/data.hpp"
#include "data/zip.hpp"
#include "data_helpers.hpp"
#include "zip_of.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

template <class T>
std::string values_of(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
  return bytes;
}

const std::string kX = npy_of("<f4", "(4, 2)", values_of<float>({1, 2, 3, 4, 5, 6, 7, 8}));
const std::string kY = npy_of("<i8", "(4,)", values_of<std::int64_t>({0, 1, 0, 1}));
const std::string kPixels = npy_of("|u1", "(4, 2, 2)", "abcdefghijklmnop");

Source archive_of(const std::string& bytes) { return {"a.npz", {bytes.begin(), bytes.end()}}; }
DataPair npz(const std::vector<ZipPart>& parts, const Options& options = {}, const Recipe* known = nullptr,
             Parts which = Parts::both) {
  return parse_npz(archive_of(zip_of(parts)), options, known, which);
}
Thrown not_read(const std::vector<ZipPart>& parts, const Options& options = {}) {
  return thrown_by([&] { npz(parts, options); });
}
Options labels_named(const std::string& name) {
  Options options;
  options.labels = name;
  return options;
}

}  // namespace

TEST_SUITE("data/npz") {
  TEST_CASE("the check sum") {
    CHECK(crc32("") == 0);
    CHECK(crc32("123456789") == 0xcbf43926u);
    CHECK(crc32("The quick brown fox jumps over the lazy dog") == 0x414fa339u);
  }

  TEST_CASE("features and labels by their usual names") {
    for (const auto& names : {std::pair("X", "y"), std::pair("data", "target"), std::pair("features", "labels"),
                              std::pair("x_train", "y_train"), std::pair("train_images", "train_labels")}) {
      const std::string x = names.first, y = names.second;
      CAPTURE(x);
      const DataPair pair = npz({{y + ".npy", kY}, {x + ".npy", kX}});
      CHECK_FALSE(pair.test.has_value());
      const Table& table = *pair.train.table();
      REQUIRE(table.columns.size() == 3);
      CHECK(table.columns[1].numbers == std::vector<double>{2, 4, 6, 8});
      CHECK(table.columns[2].values == std::vector<std::string>{"0", "1"});
      CHECK(pair.train.remarks.empty());
      CHECK(Preprocessor::fit(pair.train, {}).notes().empty());
    }
    const DataPair pixels = npz({{"images.npy", kPixels}, {"labels.npy", kY}});
    CHECK(pixels.train.matrix()->labels == std::vector<std::int32_t>{0, 1, 0, 1});
    CHECK(pixels.train.matrix()->cols == 4);
  }

  TEST_CASE("a part to test with, which evaluate reads") {
    const std::vector<ZipPart> parts = {{"x_test.npy", npy_of("<f4", "(1, 2)", values_of<float>({9, 9}))},
                                        {"x_train.npy", kX},
                                        {"y_train.npy", kY},
                                        {"y_test.npy", npy_of("<i8", "(1,)", values_of<std::int64_t>({1}))}};
    const DataPair pair = npz(parts);
    REQUIRE(pair.test.has_value());
    CHECK(pair.train.rows() == 4);
    CHECK(pair.test->rows() == 1);
    CHECK_FALSE(npz(parts, {}, nullptr, Parts::train).test.has_value());
    const Preprocessor p = Preprocessor::fit(pair.train, {});
    const RawData test = npz(parts, {}, &p.recipe(), Parts::test).train;
    CHECK(test.rows() == 1);
    CHECK(test.remarks.size() == 1);
    CHECK(p.apply(test, true).labels == std::vector<std::int32_t>{1});
    const TempFolder folder;
    const std::string path = folder.write("mnist.npz", zip_of(parts));
    CHECK(read_data(path, {}, &p.recipe()).rows() == 1);
    CHECK(read_train(path, {}).test.has_value());
    Options other;
    other.test = path;
    CHECK_FALSE(read_train(path, other).test.has_value());
    CHECK(read_test(other, p.recipe()).rows() == 1);
  }

  TEST_CASE("one array is a table, others are named by --labels or left aside and told") {
    CHECK(npz({{"arr_0.npy", kX}}).train.table()->columns.size() == 2);
    const std::vector<ZipPart> two = {{"arr_0.npy", kX}, {"arr_1.npy", kY}};
    const Thrown unclear = not_read(two);
    CHECK(unclear.status == Status::format);
    CHECK(unclear.says("'arr_0', 'arr_1'"));
    CHECK(unclear.says("--labels NAME"));
    CHECK(npz(two, labels_named("arr_1")).train.table()->columns.size() == 3);
    CHECK(npz(two, labels_named("arr_1.npy")).train.table()->columns.size() == 3);
    CHECK(not_read(two, labels_named("arr_7")).status == Status::format);
    const TempFolder folder;
    const std::string path = folder.write("two.npz", zip_of(two));
    Options test = labels_named("arr_1");
    test.test = path;
    const Preprocessor p = Preprocessor::fit(read_train(path, test).train, test);
    CHECK(p.apply(read_test(test, p.recipe()), true).labels.size() == 4);
    const DataPair left = npz({{"X.npy", kX}, {"y.npy", kY}, {"names.npy", "not even an array"}});
    REQUIRE(left.train.remarks.size() == 1);
    CHECK(left.train.remarks[0].find("'names'") != std::string::npos);
    CHECK(npz({{"X.npy", kX}}, labels_named(folder.write("y.npy", kY))).train.table()->columns.size() == 3);
    CHECK(not_read({{"X.npy", kX}}, labels_named("nothing")).says("neither an array of the archive nor a file"));
  }

  TEST_CASE("what leaves open what to take is an error, to predict features are enough") {
    CHECK(not_read({{"X.npy", kX}, {"data.npy", kX}, {"y.npy", kY}}).says("both 'X' and 'data'"));
    CHECK(not_read({{"X.npy", kX}, {"z.npy", kY}}).says("labels"));
    CHECK(not_read({{"a.npy", kX}, {"b.npy", kX}, {"y.npy", kY}}).says("'a', 'b', 'y'"));
    CHECK(not_read({{"X.npy", kX}, {"y.npy", kY}}, labels_named("X")).says("cannot be both"));
    CHECK(not_read({}).says("empty"));
    CHECK(not_read({{"indices.npy", kY}, {"indptr.npy", kY}, {"data.npy", kY}}).says("dump_svmlight_file"));
    const Preprocessor p = Preprocessor::fit(npz({{"X.npy", kX}, {"y.npy", kY}}).train, {});
    const RawData bare = npz({{"X.npy", kX}, {"z.npy", kY}}, {}, &p.recipe(), Parts::test).train;
    CHECK(p.apply(bare, false).rows == 4);
    CHECK(not_read({{"X.npy", kX}, {"y.npy", npy_of("<i8", "(1,)", values_of<std::int64_t>({0}))}}).says("4 rows"));
  }

#if HS_HAVE_ZLIB
  TEST_CASE("deflated members, and gzip around the archive") {
    const std::string packed = zip_of({{"X.npy", kX}, {"y.npy", kY}}, true);
    CHECK(packed.size() < zip_of({{"X.npy", kX}, {"y.npy", kY}}).size());
    const DataPair pair = parse_npz(archive_of(packed), {}, nullptr, Parts::both);
    CHECK(pair.train.table()->columns[1].numbers == std::vector<double>{2, 4, 6, 8});
    const TempFolder folder;
    CHECK(read_data(folder.write("a.npz.gz", gzip(packed)), {}).rows() == 4);
    CHECK(read_data(folder.write("a.bin", packed), {}).remarks.at(0).find("NPZ") != std::string::npos);
  }
#endif
}

TEST_SUITE("data/zip") {
  std::string first_member(const std::string& bytes, std::uint64_t most = 1000) {
    const Source archive = archive_of(bytes);
    const Source out = zip_member(archive, zip_members(archive).at(0), most);
    return std::string(out.text());
  }
  Status status_of_zip(const std::string& bytes, std::uint64_t most = 1000) {
    return thrown_by([&] { first_member(bytes, most); }).status;
  }

  TEST_CASE("every truncation and every byte changed is an error, or changes nothing") {
    const std::string text = "some text, some text, some text";
    for (const auto& [packed, wide] : {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
      CAPTURE(wide);
      const std::string whole = zip_of({{"a", text}}, packed, wide);
      CHECK(first_member(whole) == text);
      CHECK(status_of_zip(whole, text.size()) == Status::ok);
      CHECK(status_of_zip(whole, text.size() - 1) == Status::limit);
      for (std::size_t i = 0; i < whole.size(); ++i) {
        CAPTURE(i);
        CHECK(status_of_zip(whole.substr(0, i)) == Status::format);
        for (const int bit : {1, 128}) {
          std::string damaged = whole;
          damaged[i] = static_cast<char>(damaged[i] ^ bit);
          std::string read = text;
          const Thrown thrown = thrown_by([&] { read = first_member(damaged); });
          CHECK(read == text);
          CHECK(thrown.status != Status::internal);
        }
      }
    }
  }

  TEST_CASE("ZIP64: several members, whose sizes and places are in wide numbers alone") {
    const Source archive = archive_of(zip_of({{"a", "first"}, {"b", "the second"}, {"c", ""}}, false, true));
    const std::vector<ZipMember> members = zip_members(archive);
    REQUIRE(members.size() == 3);
    CHECK(zip_member(archive, members[0]).text() == "first");
    CHECK(zip_member(archive, members[1]).text() == "the second");
    CHECK(zip_member(archive, members[2]).text() == "");
    CHECK(zip_members(archive_of(zip_of({}, false, true))).empty());
  }

  TEST_CASE("what is not read is named") {
    const auto with = [](std::size_t at_list, std::string_view bytes) {
      std::string archive = zip_of({{"a", "text"}});
      archive.replace(archive.find("PK\1\2") + at_list, bytes.size(), bytes);
      return thrown_by([&] { first_member(archive); });
    };
    CHECK(with(8, "\1").says("password"));
    CHECK(with(10, "\14").says("method 12"));
    CHECK(with(24, "\xff\xff\xff\xff").says("wide numbers"));
    CHECK(with(16, "\1").says("check sum"));
    CHECK(with(24, "\3").says("two sizes"));
    CHECK(status_of_zip("PK") == Status::format);
    // A comment at the end, with the mark of an end in it.
    std::string commented = zip_of({{"a", "text"}});
    commented[commented.size() - 2] = 6;
    CHECK(first_member(commented + "PK\5\6!!") == "text");
  }

#if HS_HAVE_ZLIB
  TEST_CASE("a size that deflate cannot reach takes no memory, one that is wrong is an error") {
    std::string archive = zip_of({{"a", std::string(900, 'x')}}, true);
    const std::size_t size = archive.find("PK\1\2") + 24;
    const auto with_size = [&](std::uint64_t bytes) {
      archive.replace(size, 4, zip_parts::number(bytes, 4));
      return thrown_by([&] { first_member(archive, std::uint64_t{1} << 40); });
    };
    CHECK(with_size(0xfffffffe).says("cannot come of so few"));
    CHECK(with_size(899).says("more bytes than"));
    CHECK(with_size(901).says("the list says"));
    CHECK(with_size(900).status == Status::ok);
  }
#endif
}
