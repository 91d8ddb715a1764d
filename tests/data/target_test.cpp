#include "data/target.hpp"

#include <algorithm>

#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

TargetChoice choose(std::string_view text, const Options& options = {}) {
  return choose_target(raw_of(text, options), options);
}

Options regression() {
  Options options;
  options.task = Task::regress;
  return options;
}

}  // namespace

TEST_SUITE("data/target") {
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
    CHECK(says(choose(text).notes, "the target is the last column, 'id'"));
    CHECK(says(choose(text).notes, "looks like an id"));
    Options score;
    score.target = "score";
    CHECK(says(choose(text, score).notes, "taken as 5 classes; if they are a score or a count, --task regress"));
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
