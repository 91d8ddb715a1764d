#include "data/folds.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

// Rows of three classes in blocks and of 13 groups; the last three have no target.
std::string table() {
  std::string text = "who,x,t\n";
  for (int i = 0; i < 100; ++i) {
    text += "g" + std::to_string(i * i % 13) + "," + std::to_string(i) + "," +
            (i >= 97  ? ""
             : i < 60 ? "a"
             : i < 90 ? "b"
                      : "c") +
            "\n";
  }
  return text;
}

std::vector<Split> folds(std::size_t count, const Options& options) {
  const RawData raw = raw_of(table(), options);
  return folds_of(raw, choose_target(raw, options), count, options);
}

}  // namespace

TEST_SUITE("data/folds") {
  TEST_CASE("each row with a target is held out once, and trained on in all other folds") {
    for (const char* split : {"random", "stratified", "group"}) {
      CAPTURE(split);
      for (const std::size_t count : {2, 3, 5, 7}) {
        Options options;
        options.target = "t";
        (std::string(split) == "group" ? options.group : options.split) = std::string(split) == "group" ? "who" : split;
        std::map<std::uint32_t, int> held, trained;
        for (const Split& fold : folds(count, options)) {
          CHECK(fold.train.size() + fold.validation.size() == 97);
          CHECK(std::is_sorted(fold.train.begin(), fold.train.end()));
          CHECK(std::is_sorted(fold.validation.begin(), fold.validation.end()));
          for (const std::uint32_t row : fold.validation) ++held[row];
          for (const std::uint32_t row : fold.train) ++trained[row];
          if (options.group.empty()) {
            CHECK(fold.validation.size() >= 97 / count);
            CHECK(fold.validation.size() <= 97 / count + 1);
          }
          std::set<int> groups;
          for (const std::uint32_t row : fold.validation) groups.insert(static_cast<int>(row * row % 13));
          for (const std::uint32_t row : fold.train) {
            if (!options.group.empty()) CHECK(groups.count(static_cast<int>(row * row % 13)) == 0);
          }
          std::map<char, std::size_t> classes;
          for (const std::uint32_t row : fold.validation) ++classes[row < 60 ? 'a' : row < 90 ? 'b' : 'c'];
          if (options.split == "stratified") {
            CHECK(classes['a'] - 60 / count <= 1);
            CHECK(classes['b'] - 30 / count <= 1);
            CHECK(classes['c'] - 7 / count <= 1);
          }
        }
        CHECK(held.size() == 97);
        for (const auto& [row, times] : held) CHECK(times == 1);
        for (const auto& [row, times] : trained) CHECK(times == static_cast<int>(count) - 1);
      }
    }
  }

  TEST_CASE("ordered: only rows before those held out are trained on") {
    Options options;
    options.target = "t";
    options.split = "ordered";
    const std::vector<Split> of = folds(4, options);
    std::uint32_t next = of[0].train.back() + 1;
    for (const Split& fold : of) {
      CHECK(fold.train.front() == 0);
      CHECK(fold.train.back() + 1 == next);
      CHECK(fold.validation.front() == next);
      CHECK(fold.validation.size() >= 19);
      next = fold.validation.back() + 1;
    }
    CHECK(next == 97);
  }

  TEST_CASE("fewer rows or groups than folds are refused with a number that works") {
    Options options;
    options.target = "t";
    options.group = "who";
    const Thrown thrown = thrown_by([&] { folds(12, options); });
    CHECK(thrown.status == Status::invalid_argument);
    CHECK(thrown.says("--folds 7"));
    CHECK(folds(7, options).size() == 7);
    options.group.clear();
    CHECK(thrown_by([&] { folds(98, options); }).says("97 rows"));
  }

  TEST_CASE("a target with some of its rows keeps their classes") {
    const RawData raw = raw_of(table(), {});
    Options options;
    options.target = "t";
    const TargetChoice target = choose_target(raw, options);
    const TargetChoice some = with_rows(target, {3, 61, 96});
    CHECK(some.rows == std::vector<std::uint32_t>{3, 61, 96});
    REQUIRE(some.class_of.size() == 3);
    CHECK(some.classes[some.class_of[0]] == "a");
    CHECK(some.classes[some.class_of[1]] == "b");
    CHECK(some.classes[some.class_of[2]] == "c");
  }
}
