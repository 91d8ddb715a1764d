#include "data/hold_out.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data_helpers.hpp"
#include "halfstep/error.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

Options seeded(std::uint64_t seed) {
  Options options;
  options.seed = seed;
  return options;
}

// Throws what holding out throws.
Split held_out_of(std::string_view text, double share, const Options& options) {
  const RawData raw = raw_of(text, options);
  return hold_out(raw, choose_target(raw, options), share, options);
}

std::string refusal(std::string_view text, const Options& options) {
  try {
    const RawData raw = raw_of(text, options);
    const TargetChoice target = choose_target(raw, options);
    row_weights(raw, target, options);
    hold_out(raw, target, 0.2, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_SUITE("data/hold_out") {
  TEST_CASE("each class stays in training, at every seed") {
    std::string text = "x,t\n";
    for (int i = 0; i < 40; ++i) text += std::to_string(i) + (i % 2 ? ",a\n" : ",b\n");
    text += "1,r1\n2,r2\n3,r3\n3,r3\n";
    const RawData raw = raw_of(text, {});
    const TargetChoice choice = choose_target(raw, {});
    CHECK(says(choice.notes, "2 classes have a single row, kept in training: 'r1', 'r2'"));
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      const Split split = hold_out(raw, choice, 0.2, seeded(seed));
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
    const RawData raw = raw_of(text, {});
    const TargetChoice choice = choose_target(raw, {});
    CHECK(choice.rows.size() == 30);
    CHECK(says(choice.notes, "10 rows without a target in 't' (column 1) left out; taken as missing: '?' (10)"));
    const Split split = hold_out(raw, choice, 0.1, seeded(3));
    CHECK(split.validation.size() == 3);
    for (const std::uint32_t row : split.validation) CHECK(row % 4 != 0);
  }

  TEST_CASE("where all rows have a target the split is that of rows alone") {
    std::string text = "x,t\n";
    for (int i = 0; i < 40; ++i) text += std::to_string(i) + "," + std::to_string(i) + ".5\n";
    const RawData raw = raw_of(text, {});
    const Split split = hold_out(raw, choose_target(raw, {}), 0.1, seeded(7));
    CHECK(split.validation == split_rows(std::size_t{40}, 0.1, 7).validation);
  }

  TEST_CASE("stratified: of each class its share, of all theirs, and another draw for another seed") {
    std::string text = "x,t\n";
    std::vector<int> sizes = {100, 37, 9, 3, 1};
    for (std::size_t c = 0; c < sizes.size(); ++c) {
      for (int i = 0; i < sizes[c]; ++i) text += std::to_string(i * 0.5) + ",class" + std::to_string(c) + "\n";
    }
    std::set<std::vector<std::uint32_t>> draws;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      Options options = seeded(seed);
      options.split = "stratified";
      const Split split = held_out_of(text, 0.2, options);
      CHECK(split.validation.size() == 30);
      CHECK(split.train.size() == 120);
      std::map<std::size_t, int> counts;
      for (const std::uint32_t row : split.validation) {
        std::size_t c = 0;
        for (int end = sizes[0]; static_cast<int>(row) >= end; end += sizes[++c]) {
        }
        ++counts[c];
      }
      for (std::size_t c = 0; c < sizes.size(); ++c) {
        CHECK(std::fabs(counts[c] - 0.2 * sizes[c]) <= 1);
        CHECK(counts[c] < sizes[c]);
      }
      draws.insert(split.validation);
    }
    CHECK(draws.size() == 20);
    Options values;
    values.split = "stratified";
    CHECK(refusal("x,t\n1,1.5\n2,2.5\n3,3.25\n4,1.25\n", values).find("--split random") != std::string::npos);
  }

  TEST_CASE("ordered: the last rows that have a target") {
    std::string text = "x,t\n";
    for (int i = 0; i < 20; ++i) text += std::to_string(i) + (i == 18 ? ",?\n" : i % 2 ? ",1.5\n" : ",2.25\n");
    Options options;
    options.split = "ordered";
    CHECK(held_out_of(text, 0.2, options).validation == std::vector<std::uint32_t>{15, 16, 17, 19});
  }

  TEST_CASE("groups stay whole, whatever they are made of, and about the share is held out") {
    for (const bool numbers : {false, true}) {
      std::string text = "who,x,t\n";
      for (int i = 0; i < 200; ++i) {
        const int group = i * i % 23;
        text += (numbers ? std::to_string(group * 1.5) : "g" + std::to_string(group)) + "," + std::to_string(i) + "," +
                (i % 3 ? "a" : "b") + "\n";
      }
      text += ",1,a\n,2,b\n";  // without a group
      std::set<std::vector<std::uint32_t>> draws;
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Options options = seeded(seed);
        options.group = "who";
        const Split split = held_out_of(text, 0.25, options);
        const auto group_of = [](std::uint32_t row) { return row >= 200 ? -1 : static_cast<int>(row * row % 23); };
        std::set<int> train, held;
        for (const std::uint32_t row : split.train) train.insert(group_of(row));
        for (const std::uint32_t row : split.validation) held.insert(group_of(row));
        for (const int group : held) CHECK(train.count(group) == 0);
        CHECK(split.train.size() + split.validation.size() == 202);
        CHECK(split.validation.size() >= 20);
        CHECK(split.validation.size() <= 80);
        draws.insert(split.validation);
      }
      CHECK(draws.size() > 10);
    }
    Options options;
    options.group = "who";
    CHECK(refusal("who,x,t\nz,1,a\nz,2,b\nz,3,a\n", options).find("all rows are of one group") != std::string::npos);
    options.group = "t";
    CHECK(refusal("who,x,t\nz,1,a\ny,2,b\nz,3,a\n", options).find("the target cannot be") != std::string::npos);
    options.group = "whp";
    CHECK(refusal("who,x,t\nz,1,a\ny,2,b\nz,3,a\n", options).find("'who'") != std::string::npos);
  }

  TEST_CASE("weights of rows are numbers of at least 0") {
    Options options;
    options.weights = "w";
    const RawData raw = raw_of("w,x,t\n1,5,a\n0,6,b\n2.5,7,a\n", options);
    CHECK(row_weights(raw, choose_target(raw, options), options) == std::vector<float>{1, 0, 2.5f});
    CHECK(refusal("w,x,t\n1,5,a\n-1,6,b\n2.5,7,a\n", options).find("line 3") != std::string::npos);
    CHECK(refusal("w,x,t\n1,5,a\n,6,b\n2.5,7,a\n", options).find("it is missing") != std::string::npos);
    CHECK(refusal("w,x,t\n0,5,a\n0,6,b\n0,7,a\n", options).find("no row counts") != std::string::npos);
    CHECK(refusal("v,x,t\n0,5,a\n0,6,b\n0,7,a\n", options).find("--weights") != std::string::npos);
    CHECK(row_weights(raw, choose_target(raw, {}), {}).empty());
  }
}
