// A table that goes by way of the disk is the one that is read into memory.
#include "data/csv_stream.hpp"

#include <sys/resource.h>

#include <csignal>
#include <regex>

#include "data/data.hpp"
#include "data/large_file.hpp"
#include "data/read_file.hpp"
#include "data/stored_table.hpp"
#include "data_helpers.hpp"
#include "dirty_tables.hpp"
#include "parallel/executor.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

ReadHow by_disk(const TempFolder& folder, Executor* executor, std::size_t piece, std::size_t window) {
  return {executor, piece, {Cache::When::always, folder.path(), window, 7}};
}

std::string read(const std::string& path, const Options& options, const ReadHow& how, bool* stored = nullptr) {
  try {
    const RawData raw = read_file(path, options, nullptr, Parts::both, how).train;
    const Table& table = *raw.table();
    if (stored) *stored = table.store != nullptr;
    return told(table.store ? load_rows(table, 0, table.rows) : table);
  } catch (const Error& error) {
    // How many rows are wrong beside the first is not counted.
    return std::regex_replace(std::string(error.what()), std::regex("; [0-9]+ more rows differ"), "");
  }
}

}  // namespace

TEST_SUITE("data/csv_stream") {
  TEST_CASE("dirty tables: the same table or the same message through any window") {
    const TempFolder folder;
    const auto executor = make_executor(2);
    int streamed = 0;
    for (std::uint32_t seed = 0; seed < 150; ++seed) {
      Dirty dirty(seed);
      const std::string path = folder.write("t.csv", (seed % 3 == 0 ? "\xef\xbb\xbf" : "") + dirty.text());
      Options options;
      options.format = "csv";
      if (seed % 5 == 1) options.missing = {"-999", "none"};
      if (seed % 7 == 2) options.target = "0";
      if (seed % 11 == 3) options.task = Task::classify;
      const std::string expected = read(path, options, {});
      for (const std::size_t window : {1u, 50u, 777u, 100000u}) {
        for (Executor* const threads : {static_cast<Executor*>(nullptr), executor.get()}) {
          CAPTURE(seed);
          CAPTURE(window);
          bool stored = false;
          REQUIRE(read(path, options, by_disk(folder, threads, window / 3 + 1, window), &stored) == expected);
          streamed += stored ? 1 : 0;
        }
      }
    }
    CHECK(streamed > 500);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);  // no cache has a name
  }

  TEST_CASE("a column by its rows, and rows with all their columns") {
    const TempFolder folder;
    std::string text = "a,b,c,y\n";
    for (int i = 0; i < 100; ++i) {
      text += std::to_string(i) + "." + (i == 17 ? "x" : "5") + "," + (i % 9 == 0 ? "" : "t" + std::to_string(i % 4)) +
              ",\"$" + std::to_string(i) + "\"," + std::to_string(i % 2) + "\n";
    }
    const std::string path = folder.write("t.csv", text);
    Options options;
    options.numeric = {"a"};
    const RawData whole = read_file(path, options, nullptr, Parts::both).train;
    const RawData raw = read_file(path, options, nullptr, Parts::both, by_disk(folder, nullptr, 64, 300)).train;
    const std::vector<std::uint32_t> rows = {0, 3, 17, 18, 40, 41, 42, 99};
    const RawData some = take_rows(raw, rows), some_whole = take_rows(whole, rows);
    CHECK((some.table()->columns[0].stored && !some.table()->columns[3].stored));
    CHECK(told(load_rows(*some.table(), 0, 8)) == told(*some_whole.table()));
    CHECK(told(load_rows(*some.table(), 2, 3)) == told(*take_rows(some_whole, std::vector{2u, 3u, 4u}).table()));
    for (std::size_t i = 0; i < 4; ++i) {
      const Column column = load_column(*some.table(), i), expected = some_whole.table()->columns[i];
      CHECK(column.codes == expected.codes);
      CHECK(column.numbers.size() == expected.numbers.size());
      CHECK(column.values == expected.values);
      CHECK(load_column(*raw.table(), i).codes == whole.table()->columns[i].codes);
    }
  }

  TEST_CASE("what cannot go by way of the disk is refused with advice, where it was asked for") {
    const TempFolder folder;
    const ReadHow how = by_disk(folder, nullptr, 64, 300);
    const auto refused = [&](const std::string& path) {
      const Thrown thrown = thrown_by([&] { read_train(path, {}, how); });
      return thrown.status == Status::unsupported && thrown.says("--cache none");
    };
    CHECK(refused(folder.write("t.svm", "1 1:1\n0 1:2\n")));
    CHECK(refused(folder.write("t.csv", "1 1:1\n0 1:2\n")));
    CHECK(refused(folder.write("u.csv", "\xff\xfe,\n")));
    CHECK(refused(folder.path()));
    CHECK(refused("builtin:digits"));
    CHECK(refused("-"));
    ReadHow needed = how;
    needed.cache.when = Cache::When::if_needed;
    CHECK(read_train(folder.write("t.csv", "a,b\n1,2\n3,4\n"), {}, needed).train.table()->store == nullptr);
    needed.cache.when = Cache::When::always;
    needed.cache.folder = folder.path("none");
    CHECK(thrown_by([&] { read_train(folder.path("t.csv"), {}, needed); }).says("cannot make the cache"));
    CHECK(thrown_by([&] { require_room(folder.path(), 1e18); }).says("no room for the cache"));
    CHECK(thrown_by([&] { require_room(folder.path(), 1); }).status == Status::ok);
    CHECK(thrown_by([&] { InputFile(folder.path("nothing.csv")); }).status == Status::io);
  }

  TEST_CASE("a full disk, and a cache that lost its end") {
    const TempFolder folder;
    std::string text = "a,b\n";
    for (int i = 0; i < 5000; ++i) text += std::to_string(i) + ".5,1\n";
    const std::string path = folder.write("t.csv", text);
    const auto before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &limit) == 0);
    rlimit tight = limit;
    tight.rlim_cur = 20000;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &tight) == 0);
    const Thrown full = thrown_by([&] { read_train(path, {}, by_disk(folder, nullptr, 1000, 4000)); });
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, before);
    CHECK(full.status == Status::io);
    CHECK(full.says("cannot write the cache"));
    const CacheFile file(folder.path());
    char byte = 0;
    CHECK(thrown_by([&] { file.read(0, &byte, 1); }).says("cannot read the cache"));
  }
}
