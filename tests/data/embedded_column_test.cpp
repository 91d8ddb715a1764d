#include "data/embedded_column.hpp"

#include <cmath>
#include <limits>

#include "data/preprocess.hpp"
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace embedded_columns_test {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

Options embedding(std::int64_t bins = 48) {
  Options options;
  options.embedding = 4;
  options.bins = bins;
  return options;
}

InputColumn fitted(const std::vector<double>& numbers, std::size_t segments) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t i = 0; i < numbers.size(); ++i) rows.push_back(i);
  InputColumn column;
  fit_knots(numbers, rows, segments, column);
  return column;
}

}  // namespace embedded_columns_test

using namespace embedded_columns_test;

TEST_SUITE("data/embedded_column") {
  TEST_CASE("few distinct numbers are the knots, many are cut at their quantiles") {
    CHECK(fitted({3, 1, 2, 2, kNone, 3}, 48).knots == std::vector<double>{1, 2, 3});
    std::vector<double> numbers;
    for (int i = 0; i <= 100; ++i) numbers.push_back(i * i);
    CHECK(fitted(numbers, 4).knots == std::vector<double>{0, 625, 2500, 5625, 10000});
    CHECK(fitted(numbers, 4).mean == 2500);
    // As many of one value as fill several bins: its knot stands once.
    CHECK(fitted({0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 4).knots == std::vector<double>{0, 1, 1.75, 4});
    CHECK(fitted({kNone, kNone}, 4).knots.empty());
  }

  TEST_CASE("a number is its value and its place, whatever it is") {
    InputColumn column = fitted({0, 10, 20, 40}, 48);
    CHECK(embedded_place(column, 0) == 0);
    CHECK(embedded_place(column, 5) == 0.5f);
    CHECK(embedded_place(column, 10) == 1);
    CHECK(embedded_place(column, 30) == 2.5f);
    CHECK(embedded_place(column, 40) == 3);
    CHECK(embedded_place(column, -5) == -0.5f);
    CHECK(embedded_place(column, -1e300) == -1);
    CHECK(embedded_place(column, 1e300) == 4);
    CHECK(embedded_place(column, kNone) == kMissingPlace);
    column.scale = 10;
    CHECK(embedded_value(column, 15) == 0);  // the median
    CHECK(embedded_value(column, 45) == doctest::Approx(3 / std::sqrt(2)));
    CHECK(embedded_value(column, 1e300) == doctest::Approx(3));
    CHECK(embedded_value(column, -std::numeric_limits<double>::max()) == doctest::Approx(-3));
    CHECK(embedded_value(column, kNone) == 0);
    // Knots as far apart as doubles can be.
    const InputColumn wide = fitted({-1.5e308, 1.5e308}, 48);
    CHECK(embedded_place(wide, 0) == 0.5f);
    CHECK(embedded_place(fitted({7, 7}, 4), 9) == 0);  // constant
  }

  TEST_CASE("a table: two inputs for a number, one for a category, missing and unseen ones have codes") {
    constexpr std::string_view kText = "age,job,t\n20,cook,1.5\n40,,2.5\n,smith,3.5\n30,cook,4.5\n";
    const Preprocessor p = Preprocessor::fit(raw_of(kText), embedding());
    REQUIRE(p.features() == 3);
    CHECK(embedded_columns(p.recipe()) == std::vector<ColumnEmbedding>{{true, 2}, {false, 4}});
    const Examples e = p.apply(raw_of(kText), true);
    CHECK(std::vector<float>(e.x.begin() + 1, e.x.begin() + 3) == std::vector<float>{0, 0});
    CHECK(std::vector<float>(e.x.begin() + 4, e.x.begin() + 6) == std::vector<float>{2, 3});
    CHECK(std::vector<float>(e.x.begin() + 6, e.x.begin() + 9) == std::vector<float>{0, kMissingPlace, 1});
    std::vector<std::string> notes;
    const Examples other = p.apply(raw_of("age,job,t\n25,king,1\n"), false, &notes);
    CHECK(std::vector<float>(other.x.begin() + 1, other.x.end()) == std::vector<float>{0.5f, 2});
    const Preprocessor again = Preprocessor::from_json(p.to_json());
    CHECK(again.to_json() == p.to_json());
    CHECK(again.apply(raw_of(kText), true).x == e.x);
    CHECK(p.to_json().find("\"version\":5") != std::string::npos);
  }

  TEST_CASE("rare categories share a code, and thousands of them are no reason to refuse a file") {
    std::string text = "name,t\n";
    for (int i = 0; i < 3000; ++i) text += "n" + std::to_string(i / 3) + "," + std::to_string(i / 3 % 7) + ".5\n";
    for (int i = 0; i < 50; ++i) text += "once" + std::to_string(i) + ",1.5\n";
    Options options = embedding();
    options.categorical = {"name"};
    const Preprocessor p = Preprocessor::fit(raw_of(text), options);
    CHECK(embedded_columns(p.recipe()) == std::vector<ColumnEmbedding>{{false, 1002}});
    CHECK(p.apply(raw_of(text), true).x.back() == 1000);
    options.embedding = 0;
    options.bins = 48;
    CHECK(thrown_by([&] { Preprocessor::fit(raw_of(text), options); }).status == Status::limit);
  }

  TEST_CASE("a damaged recipe is refused") {
    const std::string json = Preprocessor::fit(raw_of("a,t\n1,1.5\n2,2.5\n4,3.5\n"), embedding()).to_json();
    const std::size_t at = json.find("\"knots\":[1.0,2.0,4.0]");
    REQUIRE(at != std::string::npos);
    const std::string start = json.substr(0, at),
                      rest = json.substr(at + std::string("\"knots\":[1.0,2.0,4.0]").size());
    for (const char* knots : {"\"knots\":[2.0,1.0]", "\"knots\":[1.0,1.0]", "\"knots\":[1e999]", "\"knots\":3"}) {
      CHECK(thrown_by([&] { Preprocessor::from_json(start + knots + rest); }).status == Status::format);
    }
  }
}
