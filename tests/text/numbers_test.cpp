#include <doctest/doctest.h>

#include <limits>

#include "halfstep/text.hpp"
#include "text/utf8.hpp"

using namespace halfstep;
using namespace halfstep::internal;

TEST_SUITE("text/numbers") {
  TEST_CASE("the shortest text that reads back, of either type") {
    CHECK(number_text(0.1) == "0.1");
    CHECK(number_text(0.1f) == "0.1");
    CHECK(number_text(static_cast<double>(0.1f)) == "0.10000000149011612");
    CHECK(number_text(-0.0) == "-0");
    CHECK(number_text(1e300) == "1e+300");
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK(number_text(infinity) == "inf");
    CHECK(number_text(-infinity) == "-inf");
    for (const double nan : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::quiet_NaN()}) {
      CHECK(number_text(nan) == "nan");
      CHECK(number_text(static_cast<float>(nan)) == "nan");
      CHECK(short_number(nan) == "nan");
    }
    CHECK(short_number(1234567.0) == "1.2346e+06");
    CHECK(short_number(2.0 / 3, 3) == "0.667");
  }

  TEST_CASE("text that is not UTF-8 is taken as Latin-1") {
    CHECK(to_utf8("caf\xe9") == "caf\xc3\xa9");
    CHECK(to_utf8("caf\xc3\xa9") == "caf\xc3\xa9");
    std::size_t offset = 0;
    CHECK_FALSE(is_utf8("ab\xff", &offset));
    CHECK(offset == 2);
  }
}
