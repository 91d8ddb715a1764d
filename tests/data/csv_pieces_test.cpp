// A table that many threads read in pieces is the one that one thread reads.
#include "data/read_how.hpp"
#include "data/target.hpp"
#include "data_helpers.hpp"
#include "dirty_tables.hpp"
#include "halfstep/text.hpp"
#include "parallel/executor.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

std::string read(std::string_view text, const Options& options, const ReadHow& how, int* threads = nullptr) {
  try {
    const Table table = parse_csv(source_of(text), options, nullptr, how);
    if (threads != nullptr) *threads = table.threads;
    return told(table);
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_SUITE("data/csv_pieces") {
  TEST_CASE("dirty tables: the same table or the same message, however they are cut") {
    const auto executor = make_executor(3);
    int in_pieces = 0, good = 0;
    for (std::uint32_t seed = 0; seed < 400; ++seed) {
      Dirty dirty(seed);
      const std::string text = dirty.text();
      Options options;
      if (seed % 5 == 1) options.missing = {"-999", "none"};
      if (seed % 7 == 2) options.target = "0";
      if (seed % 11 == 3) options.task = Task::classify;
      const std::string expected = read(text, options, {});
      for (const std::size_t bytes : {1u, 17u, 100u, 1000u}) {
        CAPTURE(seed);
        CAPTURE(bytes);
        int threads = 1;
        REQUIRE(read(text, options, {executor.get(), bytes}, &threads) == expected);
        in_pieces += threads > 1 ? 1 : 0;
      }
      good += expected.find("error") == std::string::npos ? 1 : 0;
    }
    CHECK(in_pieces > 400);
    CHECK(good > 200);
  }

  TEST_CASE("one column of many numbers, whose texts are kept until they are too many") {
    const auto executor = make_executor(2);
    for (const char* last : {"1", "1.5", "007", "word", "1,5"}) {
      std::string text = "a,y\n";
      for (int i = 0; i < 3000; ++i) text += std::to_string(i) + "," + std::to_string(i * 7 % 2503) + "\n";
      text += std::string("1,") + (last[1] == ',' ? "\"1,5\"" : last) + "\n";
      CAPTURE(last);
      for (const std::size_t bytes : {50u, 700u, 9000u}) {
        CHECK(read(text, {}, {executor.get(), bytes}) == read(text, {}, {}));
      }
      const Table table = table_of(text);
      const Column& y = table.columns[1];
      if (last[0] == '1') CHECK((!y.is_text && y.codes.empty() && y.values.empty()));
      if (last[0] == 'w') {  // as if its texts had never been forgotten
        CHECK((y.problem && y.codes.size() == 3001 && y.values.size() == 2504));
        CHECK(thrown_by([&] { choose_target({"test.csv", table}, {}); }).says("line 3002"));
      }
      if (last[0] == '0') CHECK(y.remarks.at(0).find("digits that are names") != std::string::npos);
    }
    Options classes;
    classes.task = Task::classify;
    std::string text = "a,y\n";
    for (int i = 0; i < 4000; ++i) text += "1," + std::to_string(i % 1200) + (i % 2 ? ".0\n" : "\n");
    CHECK(table_of(text, classes).columns[1].values.size() == 1200);
    CHECK(table_of(text).columns[1].values.empty());
  }

  TEST_CASE("subnormal numbers are counted and compared as what they are on any thread") {
    const auto executor = make_executor(2);
    std::string text = "a,b,y\n";
    for (int i = 0; i < 300; ++i) text += std::to_string(i % 25) + "e-320," + (i % 2 ? "0" : "1e-310") + ",1.5\n";
    Options options;
    options.missing = {"0"};
    CHECK(read(text, options, {executor.get(), 100}) == read(text, options, {}));
    CHECK(read(text, options, {}).find("0 x 150") != std::string::npos);
  }

  TEST_CASE("without threads, or with one, nothing is cut") {
    std::string text = "a,b\n";
    for (int i = 0; i < 300; ++i) text += "1,2\n";
    int threads = 0;
    read(text, {}, {nullptr, 10}, &threads);
    CHECK(threads == 1);
    const auto one = make_executor(1), two = make_executor(2);
    read(text, {}, {one.get(), 10}, &threads);
    CHECK(threads == 1);
    read(text, {}, {two.get(), 10}, &threads);
    CHECK(threads == 2);
  }
}
