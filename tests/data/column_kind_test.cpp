#include <string>

#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

// A table whose first column is what `cell` makes of 0 to 59, its second a target.
template <class F>
Table column_of(F cell, const Options& options = {}) {
  std::string text = "v;t\n";
  for (int i = 0; i < 60; ++i) text += std::string(cell(i)) + (i % 2 ? ";x\n" : ";y\n");
  return table_of(text, options);
}

std::string number(int i) { return std::to_string(i) + ".5"; }
// Numbers, and every tenth cell something else.
auto numbers_and(std::string other) {
  return [other](int i) { return i % 10 == 3 ? other : number(i); };
}

bool says(const std::vector<std::string>& remarks, std::string_view text) {
  for (const std::string& remark : remarks) {
    if (remark.find(text) != std::string::npos) return true;
  }
  return false;
}

Options with(std::vector<std::string> Options::*list, std::vector<std::string> names) {
  Options options;
  options.*list = std::move(names);
  return options;
}

}  // namespace

TEST_SUITE("data/column_kind") {
  TEST_CASE("a few tokens among numbers are missing values, and are named") {
    for (const char* token : {"NA", "-", "#N/A", "<NA>", "\\N", ".", "None", "n.a.", "#DIV/0!", "-nan", "(null)"}) {
      CAPTURE(token);
      const Table table = column_of(numbers_and(token));
      const Column& v = table.columns[0];
      REQUIRE_FALSE(v.is_text);
      CHECK(v.missing(3));
      CHECK(v.numbers[4] == 4.5);
      REQUIRE(v.missing_tokens.size() == 1);
      CHECK(v.missing_tokens[0].token == token);
      CHECK(v.missing_tokens[0].count == 6);
    }
    const Table words = column_of(numbers_and("not measured"));
    CHECK(words.columns[0].missing(13));
    CHECK(says(words.columns[0].remarks, "'not measured' (6) taken as missing"));
    CHECK(says(words.columns[0].remarks, "--categorical v"));
  }

  TEST_CASE("a typing error among numbers is an error, and its hints work") {
    const auto typo = [](int i) { return i == 7 ? std::string("1.2.3") : number(i); };
    REQUIRE(column_of(typo).columns[0].problem.has_value());
    CHECK(column_of(typo).columns[0].problem->where == "test.csv, line 9, column 0 'v'");
    CHECK(column_of(typo, with(&Options::numeric, {"v"})).columns[0].missing(7));
    CHECK(column_of(typo, with(&Options::categorical, {"v"})).columns[0].is_text);
    CHECK(column_of(typo, with(&Options::missing, {"1.2.3"})).columns[0].missing(7));
    CHECK(column_of(numbers_and("<0.01")).columns[0].problem.has_value());
  }

  TEST_CASE("few numbers among texts are categories, and this is said") {
    const Table table = column_of([](int i) { return i % 10 == 3 ? std::string("90+") : std::to_string(i % 7); });
    CHECK(table.columns[0].is_text);
    CHECK(says(table.columns[0].remarks, "'90+' (6)"));
    CHECK(column_of([](int i) { return i % 2 ? "A" + std::to_string(i) : std::to_string(i); }).columns[0].is_text);
  }

  TEST_CASE("numbers in other words are numbers") {
    const auto read = [](auto cell) {
      const Table table = column_of(cell);
      REQUIRE_FALSE(table.columns[0].is_text);
      CHECK(table.columns[0].remarks.size() == 1);
      return table.columns[0].numbers;
    };
    CHECK(read([](int i) { return "$" + std::to_string(i + 1) + ",000.50"; })[5] == 6000.5);
    CHECK(read([](int i) { return std::to_string(i) + ".5%"; })[5] == 5.5);
    CHECK(read([](int i) { return std::to_string(i) + ",25"; })[5] == 5.25);
    CHECK(read([](int i) { return std::to_string(i + 1) + ".234,5"; })[5] == 6234.5);
    CHECK(read([](int i) { return std::to_string(i) + ".5 kg"; })[5] == 5.5);
    CHECK(read([](int i) { return "(" + std::to_string(i) + ".00)"; })[5] == -5);
    CHECK(column_of([](int i) { return "\" " + std::to_string(i) + " \""; }).columns[0].numbers[5] == 5);
    CHECK(column_of([](int i) { return std::to_string(i % 5 * 10) + "%"; }).columns[0].numbers[1] == 10);
    CHECK(column_of([](int i) { return std::to_string(i % 5) + "A"; }).columns[0].is_text);  // a code
  }

  TEST_CASE("points group digits where commas are decimal signs, in the same column or by the rest of the file") {
    const auto mixed = [](int i) { return i % 2 ? "1.234,5" : "2.000"; };
    CHECK(column_of([&](int i) { return std::string(mixed(i)); }).columns[0].numbers[0] == 2000);
    CHECK(table_of("a;b\n1,5;2.000\n2,5;1.234\n").columns[1].numbers == std::vector<double>{2000, 1234});
    CHECK(table_of("a;b\n1,5;2.5\n2,5;1.234\n").columns[1].numbers == std::vector<double>{2.5, 1.234});
    // Both at once cannot be.
    CHECK(column_of([](int i) { return std::to_string(i) + (i % 30 == 3 ? ".5" : ",5"); })
              .columns[0]
              .problem.has_value());
  }

  TEST_CASE("a comma that could be either is said, and can be named") {
    const auto cell = [](int i) { return std::to_string(i + 1) + ",234"; };
    const Table semicolons = column_of(cell);
    CHECK(semicolons.columns[0].numbers[0] == 1.234);
    CHECK(says(semicolons.columns[0].remarks, "--decimal point"));
    Options point;
    point.decimal = "point";
    CHECK(column_of(cell, point).columns[0].numbers[0] == 1234);
    CHECK(table_of("a,b\n\"1,234\",x\n\"2,345\",y\n").columns[0].numbers[0] == 1234);
  }

  TEST_CASE("identifiers keep their text") {
    const Table zip = column_of([](int i) { return "0" + std::to_string(1000 + i % 9); });
    CHECK(zip.columns[0].is_text);
    CHECK(zip.columns[0].values[0] == "01000");
    CHECK(says(zip.columns[0].remarks, "--numeric v"));
    CHECK(column_of([](int i) { return "0" + std::to_string(i % 9); }, with(&Options::numeric, {"v"}))
              .columns[0]
              .numbers[5] == 5);
    const Table large = column_of([](int i) { return i % 2 ? "9007199254740993" : "9007199254740992"; });
    CHECK(large.columns[0].values.size() == 2);
    const Table codes = column_of([](int i) { return std::string(i % 2 ? "5E2" : i % 4 ? "500" : "7"); });
    CHECK(codes.columns[0].is_text);
    CHECK(codes.columns[0].values.size() == 3);
    CHECK_FALSE(column_of([](int i) { return i % 2 ? "1E5" : number(i); }).columns[0].is_text);
    CHECK_FALSE(column_of([](int i) { return i % 2 ? number(i % 8) : "1E5"; }).columns[0].is_text);
    // Each another: no category could be learnt.
    CHECK_FALSE(column_of([](int i) { return "0" + std::to_string(1000 + i); }).columns[0].is_text);
    // Classes that are equal as numbers are two.
    Options classify;
    classify.task = Task::classify;
    const Preprocessor p = Preprocessor::fit(raw_of("a,c\n1,007\n2,07\n3,007\n4,07\n", classify), classify);
    CHECK(p.classes() == std::vector<std::string>{"007", "07"});
  }

  TEST_CASE("None is a value among texts") {
    const Table table = table_of("a,s\n1,None\n2,mild\n3,severe\n4,None\n");
    CHECK_FALSE(table.columns[1].missing(0));
    CHECK(Preprocessor::fit(raw_of("a,s\n1,None\n2,mild\n3,severe\n4,None\n"), {}).classes().size() == 3);
  }

  TEST_CASE("tokens of the user's: equal as numbers, and noticed when they do not occur") {
    const Table table = table_of("a,b\n1,x\n-999.0,?\n-999,y\n", with(&Options::missing, {"-999", "zzz"}));
    CHECK(table.columns[0].missing(1));
    CHECK(table.columns[0].missing(2));
    CHECK_FALSE(table.columns[1].missing(1));
    CHECK(table.unused_missing == std::vector<std::string>{"zzz"});
  }
}
