#include "data/target.hpp"

#include <algorithm>
#include <set>

#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

TargetChoice choose(std::string_view text, const Options& options = {}) {
  return choose_target(raw_of(text, options), options);
}

bool says(const TargetChoice& choice, std::string_view text) {
  return std::any_of(choice.notes.begin(), choice.notes.end(),
                     [&](const std::string& note) { return note.find(text) != std::string::npos; });
}

Options regression() {
  Options options;
  options.task = Task::regress;
  return options;
}

}  // namespace

TEST_SUITE("data/target") {
  TEST_CASE("each class stays in training, at every seed") {
    std::string text = "x,t\n";
    for (int i = 0; i < 40; ++i) text += std::to_string(i) + (i % 2 ? ",a\n" : ",b\n");
    text += "1,r1\n2,r2\n3,r3\n3,r3\n";
    const TargetChoice choice = choose(text);
    CHECK(says(choice, "2 classes have a single row, kept in training: 'r1', 'r2'"));
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      const Split split = split_rows(choice, 0.2, seed);
      CHECK(split.train.size() + split.validation.size() == 44);
      std::set<std::uint32_t> trained;
      for (const std::uint32_t row : split.train) trained.insert(choice.class_of[row]);
      CHECK(trained.size() == 5);
      CHECK(std::is_sorted(split.train.begin(), split.train.end()));
      // No more rows are moved than that takes.
      const Split plain = split_rows(std::size_t{44}, 0.2, seed);
      std::set<std::uint32_t> without;
      for (const std::uint32_t row : plain.train) without.insert(choice.class_of[row]);
      CHECK(split.validation.size() == plain.validation.size() - (5 - without.size()));
    }
  }

  TEST_CASE("rows that have a target are split, others are left out with a word") {
    std::string text = "x,t\n";
    for (int i = 0; i < 40; ++i) text += std::to_string(i) + (i % 4 == 0 ? ",?\n" : i % 2 ? ",1.5\n" : ",2.25\n");
    const TargetChoice choice = choose(text);
    CHECK(choice.rows.size() == 30);
    CHECK(says(choice, "10 rows without a target in 't' (column 1) left out; taken as missing: '?' (10)"));
    const Split split = split_rows(choice, 0.1, 3);
    CHECK(split.validation.size() == 3);
    for (const std::uint32_t row : split.validation) CHECK(row % 4 != 0);
  }

  TEST_CASE("where all rows have a target the split is that of rows alone") {
    std::string text = "x,t\n";
    for (int i = 0; i < 40; ++i) text += std::to_string(i) + "," + std::to_string(i) + ".5\n";
    const Split split = split_rows(choose(text), 0.1, 7);
    CHECK(split.validation == split_rows(std::size_t{40}, 0.1, 7).validation);
  }

  TEST_CASE("text among the numbers of a regression is an error wherever it stands") {
    for (int at = 0; at < 30; ++at) {
      std::string text = "x,rating\n";
      for (int i = 0; i < 30; ++i)
        text += std::to_string(i) + "," + (i == at ? "unrated" : std::to_string(i % 10)) + "\n";
      const Thrown thrown = thrown_by([&] { choose(text, regression()); });
      CHECK(thrown.status == Status::format);
      CHECK(thrown.says("line " + std::to_string(at + 2) + ", column 1 'rating'): 'unrated'"));
      CHECK(thrown.says("--missing unrated"));
      Options missing = regression();
      missing.missing = {"unrated"};
      CHECK(choose(text, missing).rows.size() == 29);
    }
  }

  TEST_CASE("what a user could regret is a note") {
    std::string text = "x,score,id\n";
    for (int i = 0; i < 40; ++i)
      text += std::to_string(i) + "," + std::to_string(i % 5) + "," + std::to_string(i + 1) + "\n";
    CHECK(says(choose(text), "the target is the last column, 'id'"));
    CHECK(says(choose(text), "looks like an id"));
    Options score;
    score.target = "score";
    CHECK(says(choose(text, score), "taken as 5 classes; if they are a score or a count, --task regress"));
    score.task = Task::classify;
    CHECK(choose(text, score).notes.empty());
  }

  TEST_CASE("hints fit: a text cannot be regressed on") {
    std::string ids = "x,t\n", numbers = "x,t\n";
    for (int i = 0; i < 60; ++i) {
      ids += "1,id" + std::to_string(i) + "\n";
      numbers += "1," + std::to_string(i) + ".5\n";
    }
    CHECK_FALSE(thrown_by([&] { choose(ids); }).says("--task regress"));
    Options classify;
    classify.task = Task::classify;
    CHECK(thrown_by([&] { choose(numbers, classify); }).says("--task regress"));
    const Thrown missing = thrown_by([] { choose("x,t\n1,NA\n2,DE\n3,NA\n4,DE\n"); });
    CHECK(missing.says("taken as missing: 'NA' (2); to keep them as a class, name with --missing"));
    Options named;
    named.missing = {"?"};
    CHECK(choose("x,t\n1,NA\n2,DE\n3,NA\n4,DE\n", named).classes.size() == 2);
  }
}
