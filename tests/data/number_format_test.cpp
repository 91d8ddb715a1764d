#include "data/number_format.hpp"

#include <vector>

#include "data_helpers.hpp"

using namespace halfstep::internal::data;

namespace {

struct Written {
  const char* text;
  double value;
  const char* unit;
};

}  // namespace

TEST_SUITE("data/number_format") {
  TEST_CASE("numbers as people write them, with a decimal point") {
    const Written cases[] = {{"1,234", 1234, ""},
                             {"1,234.50", 1234.5, ""},
                             {"12,34,567", 1234567, ""},
                             {"1 234 567.8", 1234567.8, ""},
                             {"1\xc2\xa0"
                              "234",
                              1234, ""},
                             {"9'470", 9470, ""},
                             {"$1,234", 1234, "$"},
                             {"-$5", -5, "$"},
                             {"$-5", -5, "$"},
                             {"(5.00)", -5, ""},
                             {"($1,000)", -1000, "$"},
                             {"5-", -5, ""},
                             {"12.5%", 12.5, "%"},
                             {"12.5 %", 12.5, "%"},
                             {"3 kg", 3, "kg"},
                             {"USD 12", 12, "USD"},
                             {"12 \xe2\x82\xac", 12, "\xe2\x82\xac"},
                             {"\xe2\x88\x92"
                              "3",
                              -3, ""},
                             {" 7 ", 7, ""},
                             {".5", 0.5, ""},
                             {"1.5e3 m", 1500, "m"},
                             {"+4", 4, ""}};
    for (const Written& c : cases) {
      CAPTURE(c.text);
      const auto number = read_written_number(c.text, DecimalSign::point);
      REQUIRE(number.has_value());
      CHECK(number->value == c.value);
      CHECK(number->unit == c.unit);
    }
  }

  TEST_CASE("and with a decimal comma") {
    const Written cases[] = {{"1,5", 1.5, ""},    {"1.234,50", 1234.5, ""}, {"-0,25", -0.25, ""},
                             {"1.234", 1234, ""}, {"12,5 %", 12.5, "%"},    {"1 234,5", 1234.5, ""}};
    for (const Written& c : cases) {
      CAPTURE(c.text);
      const auto number = read_written_number(c.text, DecimalSign::comma);
      REQUIRE(number.has_value());
      CHECK(number->value == c.value);
    }
  }

  TEST_CASE("what is no number") {
    for (const char* text :
         {"",   "$",   "%",   "1,23", "1,2345", "0,123", "12,34",   "1.2.3", "2020-01-02", "10:30", "10.0.0.1", "5-6",
          "<5", "90+", "abc", "1 2",  "12 34",  "3rd2",  "1,234,5", "--5",   "-$-5-",      "$5%",   "1'23"}) {
      CAPTURE(text);
      CHECK_FALSE(read_written_number(text, DecimalSign::point).has_value());
    }
    for (const char* text : {"1.5", "1,5,5", "12.34", "1.2345,5"}) {
      CAPTURE(text);
      CHECK_FALSE(read_written_number(text, DecimalSign::comma).has_value());
    }
  }

  TEST_CASE("the decimal sign is that by which most are numbers") {
    const auto choose = [](std::vector<std::string> texts) { return choose_format(texts, DecimalSign::point); };
    CHECK(choose({"1,5", "2,25"}).format.decimal == DecimalSign::comma);
    CHECK(choose({"1,5", "2,25"}).decided);
    CHECK(choose({"1,234", "12,345.6"}).format.decimal == DecimalSign::point);
    CHECK_FALSE(choose({"1,234"}).decided);
    CHECK(choose({"5 kg"}).decided);
    CHECK(choose({"5 kg", "6 kg", "7 lb"}).format.unit == "kg");
  }
}
