#include "data/rare_categories.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace halfstep::internal::data;

namespace rare_categories_test {

// `categories` with `rows` each, whose effects have the deviation `between`, each row `within` of its own.
struct Effects {
  std::vector<std::uint32_t> code_of;
  TargetOfRows target;
};
Effects numbers(std::uint32_t categories, int rows, double between, double within) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  Effects out;
  out.target.values.resize(1);
  for (std::uint32_t c = 0; c < categories; ++c) {
    const double effect = between * normal(random);
    for (int r = 0; r < rows; ++r) {
      out.code_of.push_back(c);
      out.target.values[0].push_back(1000 + effect + within * normal(random));
    }
  }
  return out;
}

}  // namespace rare_categories_test

using namespace rare_categories_test;

TEST_SUITE("data/rare_categories") {
  TEST_CASE("the rows that a category needs are the variance within over that between") {
    const Effects known = numbers(2000, 20, 1, 3);
    const std::size_t rows = rows_to_tell_apart(known.code_of, 2000, known.target);
    CHECK(rows >= 8);
    CHECK(rows <= 10);  // 3 x 3
    const Effects clear = numbers(200, 3, 5, 0.1), noise = numbers(200, 3, 0, 1);
    CHECK(rows_to_tell_apart(clear.code_of, 200, clear.target) == 3);
    CHECK(rows_to_tell_apart(noise.code_of, 200, noise.target) >= 40);
    // Of several targets that which tells most.
    TargetOfRows both = noise.target;
    both.values.push_back(clear.target.values[0]);
    CHECK(rows_to_tell_apart(noise.code_of, 200, both) == 3);
  }

  TEST_CASE("of classes it is the shares") {
    std::vector<std::uint32_t> code_of;
    TargetOfRows follows, unrelated;
    for (std::uint32_t i = 0; i < 6000; ++i) {
      code_of.push_back(i % 200);
      follows.classes.push_back(i % 200 % 5);
      unrelated.classes.push_back(i / 200 % 5);
    }
    CHECK(rows_to_tell_apart(code_of, 200, follows) == 3);
    CHECK(rows_to_tell_apart(code_of, 200, unrelated) == 60);
    // By hand, 12 categories of 4 rows, the first half with 3 of class 1, the others with 1: within a category
    // 2 x 3/16 x 4 rows, in all 18, over 36 degrees; between 2 x 1/16 x 48 = 6 over 11; so 0.5 over
    // (0.5454 - 0.5) / 4, which is 44.
    code_of.clear();
    TargetOfRows counted;
    for (std::uint32_t i = 0; i < 48; ++i) {
      code_of.push_back(i / 4);
      counted.classes.push_back(i < 24 ? (i % 4 < 3 ? 1u : 0u) : (i % 4 < 1 ? 1u : 0u));
    }
    const std::size_t rows = rows_to_tell_apart(code_of, 12, counted);
    CHECK((rows == 44 || rows == 45));  // the ratio is 44, but for rounding
  }

  TEST_CASE("few categories are always told apart, and nothing that cannot be judged is") {
    const Effects few = numbers(10, 4, 0, 1), many = numbers(11, 4, 0, 1);
    CHECK(rows_to_tell_apart(few.code_of, 10, few.target) == 1);
    CHECK(rows_to_tell_apart(many.code_of, 11, many.target) > 1);
    Effects single = numbers(50, 1, 1, 0);
    CHECK(rows_to_tell_apart(single.code_of, 50, single.target) == 60);
    Effects large = numbers(50, 4, 1, 1);
    for (double& value : large.target.values[0]) value *= 1e305;
    CHECK(rows_to_tell_apart(large.code_of, 50, large.target) == 60);
    // Rows without a category count nowhere, and categories without rows are none.
    Effects clear = numbers(200, 3, 5, 0.1);
    clear.code_of.push_back(0xffffffffu);
    clear.target.values[0].push_back(1e9);
    CHECK(rows_to_tell_apart(clear.code_of, 5000, clear.target) == 3);
    CHECK(rows_to_tell_apart({}, 0, {}) == 1);
  }
}
