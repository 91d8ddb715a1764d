#include "data/libsvm.hpp"

#include <algorithm>

#include "data/data.hpp"
#include "data/sparse_recipe.hpp"
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

// Eight rows of two classes; feature 4 is a number, feature 6 is always 2, the others are categories.
const std::string kRows =
    "+1 1:1 4:0.5 6:2\n"
    "-1 2:1 4:1.5 6:2 # a comment\n"
    "\n"
    "# only a comment\n"
    "+1\t1:1\t4:2.5\t6:2 \r\n"
    "-1 2:1 6:2\n"
    "+1 1:1 4:-3 6:2\n"
    "-1 3:5 6:2\n"
    "+1 1:1 6:2\n"
    "-1 4:1e3 6:2";

RawData svm(const std::string& text, const Options& options = {}, const Recipe* known = nullptr) {
  return {"x", parse_libsvm(testing::source_of(text), options, known)};
}
Thrown refused(const std::string& text) {
  return thrown_by([&] { svm(text); });
}
LooksLibsvm looks(const std::string& text) { return looks_like_libsvm(text); }

// Features as they would enter a network, whether kept sparse or not.
std::vector<float> row_of(const Examples& e, std::size_t row) {
  if (e.sparse.empty()) return {e.x.begin() + row * e.features, e.x.begin() + (row + 1) * e.features};
  std::vector<float> x = e.usual;
  for (std::size_t i = e.sparse.offsets[row]; i < e.sparse.offsets[row + 1]; ++i) {
    x[e.sparse.columns[i]] = e.sparse.values[i];
  }
  return x;
}

// As many rows as make it worth while to keep them sparse: feature i % 50 + 1 is 1, the label says whether i is odd.
std::string wide(std::size_t rows, std::size_t first = 1) {
  std::string text;
  for (std::size_t i = 0; i < rows; ++i) {
    text += std::to_string(i % 2) + " " + std::to_string(i % 50 + first) + ":1 " + std::to_string(60 + i % 3) + ":" +
            std::to_string(i) + ".5\n";
  }
  return text;
}

}  // namespace

TEST_SUITE("data/libsvm") {
  TEST_CASE("labels and entries, without blank lines and comments") {
    const RawData raw = svm(kRows);
    const Table& table = *raw.table();
    CHECK(table.rows == 8);
    CHECK(table.lines == std::vector<std::uint32_t>{1, 2, 5, 6, 7, 8, 9, 10});
    CHECK(table.columns.at(0).name == "label");
    CHECK(table.sparse_width == 6);
    CHECK_FALSE(table.zero_based);
    CHECK(table.sparse.offsets == std::vector<std::uint64_t>{0, 3, 6, 9, 11, 14, 16, 18, 20});
    CHECK(std::vector<std::uint32_t>(table.sparse.columns.begin(), table.sparse.columns.begin() + 6) ==
          std::vector<std::uint32_t>{0, 3, 5, 1, 3, 5});
    CHECK(table.sparse.values[1] == 0.5);
    const Preprocessor p = Preprocessor::fit(raw, {});
    CHECK(p.classes() == std::vector<std::string>{"-1", "1"});
    CHECK(p.features() == 6);
    CHECK(p.apply(raw, true).labels == std::vector<std::int32_t>{1, 0, 1, 0, 1, 0, 1, 0});
  }

  TEST_CASE("categories become 0 and 1, numbers are standardised, what never changes is nothing") {
    const RawData raw = svm(kRows);
    const Preprocessor p = Preprocessor::fit(raw, {});
    REQUIRE(p.notes().size() == 1);
    CHECK(p.notes()[0].find("2 features have the same value in every row") != std::string::npos);
    CHECK(p.notes()[0].find(": 5, 6") != std::string::npos);
    const Examples e = p.apply(raw, true);
    const std::vector<float> first = row_of(e, 0), sixth = row_of(e, 5);
    CHECK(first[0] == 1);
    CHECK(first[1] == 0);
    CHECK(first[5] == 0);
    CHECK(sixth[2] == 1);  // of 5
    const double mean = 1001.5 / 8;
    const double scale = p.recipe().sparse_scales[3];
    CHECK(p.recipe().sparse_means[3] == doctest::Approx(mean));
    CHECK(first[3] == doctest::Approx((0.5 - mean) / scale));
    CHECK(sixth[3] == doctest::Approx(-mean / scale));
    Options none;
    none.standardize = "none";
    const Examples plain = Preprocessor::fit(raw, none).apply(raw, true);
    CHECK(row_of(plain, 5) == std::vector<float>{0, 0, 5, 0, 0, 2});
    CHECK(row_of(plain, 7) == std::vector<float>{0, 0, 0, 1000, 0, 2});
  }

  TEST_CASE("few entries stay sparse, rows taken out too, and are what a dense table would be") {
    const RawData raw = svm(wide(200));
    const Preprocessor p = Preprocessor::fit(raw, {});
    const Examples e = p.apply(raw, true);
    REQUIRE_FALSE(e.sparse.empty());
    CHECK(e.x.empty());
    CHECK(e.features == 62);
    CHECK(row_of(e, 7)[7] == 1);
    CHECK(row_of(e, 8)[7] == 0);
    const Examples full = in_full(e);
    CHECK(full.sparse.empty());
    REQUIRE(full.x.size() == 200 * 62);
    for (std::size_t i = 0; i < 200; ++i) REQUIRE(row_of(full, i) == row_of(e, i));
    const std::vector<std::uint32_t> rows = {9, 3, 150};
    const Examples some = take_rows(e, rows);
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK(row_of(some, i) == row_of(e, rows[i]));
    const Examples again = p.apply(take_rows(raw, rows), true);
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK(row_of(again, i) == row_of(e, rows[i]));
  }

  TEST_CASE("magnitudes at the ends of a double do no harm") {
    const RawData raw = svm("1 1:1e308 2:1e-320\n2 1:-1e308 2:3e-320\n1 1:1e308\n2 1:5e307\n");
    const Examples e = Preprocessor::fit(raw, {}).apply(raw, true);
    for (std::size_t row = 0; row < 4; ++row) {
      for (const float x : row_of(e, row)) CHECK(std::abs(x) < 10);
    }
  }

  TEST_CASE("real labels are values, options decide, a line without a label has no target") {
    std::string text;
    for (int i = 0; i < 30; ++i) text += std::to_string(i) + ".25 1:" + std::to_string(i) + "\n";
    CHECK(Preprocessor::fit(svm(text), {}).task() == Task::regress);
    Options regress;
    regress.task = Task::regress;
    CHECK(Preprocessor::fit(svm(kRows, regress), regress).task() == Task::regress);
    const RawData raw = svm(kRows + "\n1:1 6:2\n");
    CHECK(raw.rows() == 9);
    const Preprocessor p = Preprocessor::fit(raw, {});
    CHECK(p.apply(raw, true).rows == 8);
    CHECK(p.apply(raw, false).rows == 9);
    Options target;
    target.target = "label";
    CHECK(thrown_by([&] { Preprocessor::fit(svm(kRows, target), target); }).says("no columns to name"));
  }

  TEST_CASE("index 0 makes the file count from 0, and the model's counting holds later") {
    const RawData zero = svm("0 0:1 2:1\n1 1:1 2:2\n0 0:1\n1 1:1\n");
    CHECK(zero.table()->zero_based);
    const Preprocessor p = Preprocessor::fit(zero, {});
    CHECK(p.features() == 3);
    const std::vector<std::string> notes = p.notes();
    CHECK(std::any_of(notes.begin(), notes.end(),
                      [](const std::string& note) { return note.find("counted from 0") != std::string::npos; }));
    const RawData later = svm("0 1:1\n", {}, &p.recipe());
    CHECK(row_of(p.apply(later, true), 0)[1] == 1);
    const Preprocessor one = Preprocessor::fit(svm(kRows), {});
    const Thrown thrown = thrown_by([&] { svm("+1 1:1\n-1 0:1 2:1\n", {}, &one.recipe()); });
    CHECK(thrown.says("line 2"));
    CHECK(thrown.says("counted from 1"));
  }

  TEST_CASE("a model takes files with fewer features and with more") {
    const Preprocessor fitted = Preprocessor::fit(svm(kRows), {});
    const Preprocessor p = Preprocessor::from_json(fitted.to_json());
    CHECK(p.to_json() == fitted.to_json());
    CHECK(p.describe() == fitted.describe());
    std::vector<std::string> notes;
    const Examples fewer = p.apply(svm("+1 1:1\n-1 2:1\n", {}, &p.recipe()), true, &notes);
    CHECK(notes.empty());
    CHECK(row_of(fewer, 0) == row_of(p.apply(svm("1 1:1 4:0", {}, &p.recipe()), false), 0));
    const Examples more = p.apply(svm("+1 1:1 7:3\n-1 2:1 9:1 4000000000:1\n", {}, &p.recipe()), true, &notes);
    REQUIRE(notes.size() == 1);
    CHECK(notes[0] == "features beyond 6, the last of training, left aside in 2 rows: 7, 9, 4000000000");
    CHECK(row_of(more, 0) == row_of(fewer, 0));
    CHECK(more.features == 6);
  }

  TEST_CASE("what a recipe says is checked") {
    const std::string good = Preprocessor::fit(svm(kRows), {}).to_json();
    const auto with = [&](const std::string& from, const std::string& to) {
      std::string text = good;
      REQUIRE(text.find(from) != std::string::npos);
      text.replace(text.find(from), from.size(), to);
      return thrown_by([&] { Preprocessor::from_json(text); }).status;
    };
    CHECK(with("\"means\":[", "\"means\":[1,") == Status::format);
    CHECK(with("\"scales\":[", "\"scales\":[-1,") == Status::format);
    CHECK(with("\"zero_based\":false,", "") == Status::format);
    CHECK(with("\"version\":3", "\"version\":7") == Status::unsupported);
  }

  TEST_CASE("each error has its line") {
    const auto at_line_2 = [](const std::string& line) { return refused("1 1:1\n" + line + "\n"); };
    for (const char* line : {"1 1", "1 1:", "1 :1", "1 a:1", "1 1:x", "1 -1:2", "1 1:1:1", "1 1:nan", "1 1:1e999",
                             "1 +1:2", "1 1.0:2", "1 2", "1 qid:x 1:1", "1 1:1 qid:1", "1 qid: 1:1", "1 1:1 1"}) {
      CAPTURE(line);
      CHECK(at_line_2(line).status == Status::format);
      CHECK(at_line_2(line).says("line 2"));
    }
    CHECK(at_line_2("1 3:1 3:1").says("index 3 twice"));
    CHECK(at_line_2("1 3:1 2:1").says("index 2 behind 3"));
    CHECK(at_line_2("1,2 3:1").status == Status::unsupported);
    CHECK(at_line_2("1,2 3:1").says("several labels"));
    CHECK(at_line_2("1 4294967296:1").status == Status::limit);
    CHECK(at_line_2(std::string("1\0 1:1", 6)).says("NUL"));
    CHECK(refused("").says("0 rows"));
    CHECK(refused("# nothing\n\n").says("0 rows"));
    CHECK(thrown_by([] { Preprocessor::fit(svm("1\n2\n1\n2\n"), {}); }).says("no features"));
    const Thrown wide = thrown_by([] { Preprocessor::fit(svm("1 1:1\n0 4294967295:1\n"), {}); });
    CHECK(wide.status == Status::limit);
    CHECK(wide.says("4294967295"));
    const RawData most = svm("1 1:1\n0 262144:1\n");
    CHECK(Preprocessor::fit(most, {}).features() == kMaxSparseFeatures);
  }

  TEST_CASE("qid is left out and told") {
    const RawData raw = svm("1 qid:7 1:1\n2 qid:8 1:2\n");
    REQUIRE(raw.table()->remarks.size() == 1);
    CHECK(raw.table()->remarks[0].find("'qid' of 2 rows") != std::string::npos);
  }

  TEST_CASE("what looks like it, and what does not") {
    CHECK(looks(kRows) == LooksLibsvm::yes);
    CHECK(looks("0.5 1:2 # x\n") == LooksLibsvm::yes);
    CHECK(looks("1,3 1:2\n") == LooksLibsvm::yes);
    CHECK(looks("1 qid:1 10:30\n") == LooksLibsvm::yes);
    CHECK(looks("1 10:30 11:45\n2 10:15 12:00\n") == LooksLibsvm::perhaps);
    CHECK(looks("1 10:75\n") == LooksLibsvm::yes);
    for (const char* text : {"", "1\n2\n", "1 2\n", "a 1:1\n", "1 1:1\nx 1:1\n", "1 2:1 1:1\n", "1,2,3\n", "1:1 2:2\n",
                             "1 1:1 x\n", "a,b\n1 1:1\n"}) {
      CAPTURE(text);
      CHECK(looks(text) == LooksLibsvm::no);
    }
  }

  TEST_CASE("files of any name, told where the content decided") {
    const TempFolder folder;
    for (const char* name : {"a9a", "x.train", "x.txt", "x.csv"}) {
      CAPTURE(name);
      const RawData raw = read_data(folder.write(name, kRows), {});
      CHECK(raw.rows() == 8);
      REQUIRE(raw.remarks.size() == 1);
      CHECK(raw.remarks[0].find("--format") != std::string::npos);
      CHECK(Preprocessor::fit(raw, {}).notes().at(0) == raw.remarks[0]);
    }
    CHECK(read_data(folder.write("x.svm", kRows), {}).remarks.empty());
    CHECK(read_data(folder.write("x.libsvm", kRows), {}).remarks.empty());
    Options options;
    options.format = "libsvm";
    CHECK(read_data(folder.write("x.dat", "x 1:1\ny 2:1\n"), options).rows() == 2);
    options.format = "csv";
    CHECK(read_data(folder.write("x.dat", "a,b\n1,2\n"), options).table()->columns.size() == 2);
    const std::string times = folder.write("times.txt", "1 10:30 11:45\n2 10:15 12:00\n");
    CHECK(thrown_by([&] { read_data(times, {}); }).says("--format libsvm or --format csv"));
    CHECK(read_data(times, options).table()->columns.size() == 3);
    Options blanks;
    blanks.separator = "blanks";
    CHECK(read_data(times, blanks).table()->columns.size() == 3);
    CHECK(thrown_by([&] { read_data(folder.write("x.bin", "what"), {}); }).says("--format"));
  }

  TEST_CASE("a model of a table does not take LIBSVM, nor the other way round") {
    const TempFolder folder;
    const Preprocessor table = Preprocessor::fit(raw_of("a,y\n1,x\n2,y\n3,x\n"), {});
    const Preprocessor sparse = Preprocessor::fit(svm(kRows), {});
    const std::string svm = folder.write("x.svm", kRows);
    const auto apply = [](const Preprocessor& p, const std::string& path, const Options& options = {}) {
      return thrown_by([&] { p.apply(read_data(path, options, &p.recipe()), false); });
    };
    CHECK(apply(table, svm).says("found LIBSVM"));
    Options csv;
    csv.format = "csv";
    CHECK(apply(sparse, folder.write("t.csv", "a,y\n1,2\n"), csv).says("expected LIBSVM"));
    CHECK(apply(sparse, folder.write("bare.txt", "1:1 3:1\n\n2:1\n")).status == Status::ok);
  }
}

TEST_SUITE("data/libsvm/real") {
#if HS_HAVE_ZLIB
  TEST_CASE("a9a, whose test file lacks a feature") {
    const std::string path = real_data("a9a/a9a.gz");
    if (path.empty()) return;
    Options options;
    options.test = real_data("a9a/a9a.t.gz");
    const DataPair pair = read_train(path, options);
    const Preprocessor p = Preprocessor::fit(pair.train, options);
    CHECK(pair.train.rows() == 32561);
    CHECK(p.features() == 123);
    std::vector<std::string> notes;
    const Examples test = p.apply(read_test(options, p.recipe()), true, &notes);
    CHECK(notes.empty());
    CHECK(test.rows == 16281);
    CHECK_FALSE(test.sparse.empty());
    CHECK(std::count(test.labels.begin(), test.labels.end(), 1) == 3846);
  }
#endif

  TEST_CASE("mushrooms") {
    const std::string path = real_data("mushroom-libsvm/agaricus.txt.train");
    if (path.empty()) return;
    const RawData raw = read_data(path, {});
    CHECK(raw.rows() == 6513);
    CHECK(Preprocessor::fit(raw, {}).features() == 126);
  }
}
