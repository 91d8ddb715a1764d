#include "text/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "halfstep/error.hpp"

namespace json = halfstep::internal::json;
using halfstep::Error;
using halfstep::Status;

namespace {

std::string why_rejected(std::string_view text, const json::Limits& limits = {}) {
  try {
    json::parse(text, limits);
  } catch (const Error& error) {
    CHECK(error.status() == Status::format);
    CHECK(error.parts().where.starts_with("byte "));
    return error.parts().why;
  }
  return "";
}

}  // namespace

TEST_CASE("json: what is written reads back") {
  const std::string text = R"({"a":[1,-2,0.5,1e+300],"b":{"c":"x\"\\\n","d":null},"e":true,"f":[],"g":{}})";
  CHECK(json::dump(json::parse(text)) == text);
  CHECK(json::dump(json::parse(" [ 1 , \"\\u00e9\\ud83d\\ude00\\u0000\" ] ")) == "[1,\"é😀\\u0000\"]");
}

TEST_CASE("json: integers and numbers are kept apart") {
  CHECK(json::parse("3").is_integer());
  CHECK_FALSE(json::parse("3.0").is_integer());
  CHECK(json::dump(json::parse("3.0")) == "3.0");
  CHECK(json::parse("9223372036854775807").as_integer() == std::numeric_limits<std::int64_t>::max());
  CHECK(json::parse("7").as_number() == 7.0);
  CHECK_FALSE(json::parse("-0").is_integer());
  CHECK_THROWS_AS(json::parse("1.5").as_integer(), Error);
  CHECK(json::dump(std::size_t{5}) == "5");
  CHECK(json::dump(true) == "true");
  CHECK(json::dump("x") == "\"x\"");
}

TEST_CASE("json: non-finite numbers are words and read back as numbers") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(json::dump(json::Array{std::nan(""), inf, -inf}) == R"(["nan","inf","-inf"])");
  CHECK(std::isnan(json::parse("\"nan\"").as_number()));
  CHECK(json::parse("\"-inf\"").as_number() == -inf);
}

TEST_CASE("json: numbers keep their bits") {
  for (const double x : {0.1, 1e-320, 1.7976931348623157e308, -0.0, 1.0 / 3}) {
    const double back = json::parse(json::dump(x)).as_number();
    CHECK(back == x);
    CHECK(std::signbit(back) == std::signbit(x));
  }
}

TEST_CASE("json: malformed text is rejected with its byte offset") {
  for (const std::string_view text : {"",
                                      " ",
                                      "{",
                                      "[1",
                                      "[1,]",
                                      "{\"a\":1,}",
                                      "{\"a\"}",
                                      "{a:1}",
                                      "{'a':1}",
                                      "01",
                                      "1.",
                                      ".5",
                                      "+1",
                                      "-",
                                      "1e",
                                      "tru",
                                      "nul",
                                      "NaN",
                                      "Infinity",
                                      "\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"\\u+123\"",
                                      "\"\\ud800\"",
                                      "\"\\udc00\"",
                                      "\"\\ud800\\u0041\"",
                                      "\"\t\"",
                                      "\"\x01\"",
                                      "1 2",
                                      "{}x",
                                      "[1 2]",
                                      "{\"a\":1 \"b\":2}",
                                      "\xEF\xBB\xBF{}",
                                      "// c\n1",
                                      "\"\xff\"",
                                      "\"\xc0\xaf\"",
                                      "\"\xed\xa0\x80\"",
                                      "\"\xf5\x80\x80\x80\"",
                                      "\"\xe2\x82",
                                      "9223372036854775808",
                                      "1e400",
                                      "[[]"}) {
    CAPTURE(text);
    CHECK(why_rejected(text) != "");
  }
  CHECK(why_rejected(std::string_view("{\0}", 3)) != "");
  CHECK(why_rejected(std::string_view("1\0", 2)) != "");
  CHECK(why_rejected(R"({"a":1,"a":2})") == "the key \"a\" appears twice");
  CHECK(why_rejected(R"({"a":1,"\u0061":2})") == "the key \"a\" appears twice");
}

TEST_CASE("json: depth and count are limited") {
  CHECK(why_rejected(std::string(10000, '[')) == "nested deeper than 16");
  CHECK(why_rejected("[[[]]]", {.depth = 2, .values = 100}) == "nested deeper than 2");
  CHECK(why_rejected("[[[]]]", {.depth = 3, .values = 100}) == "");
  CHECK(why_rejected("[1,2,3]", {.depth = 2, .values = 3}) == "more than 3 values");
}

TEST_CASE("json: lookups") {
  const json::Value value = json::parse(R"({"a":{"b":[true]}})");
  CHECK(value.at("a").at("b").as_array()[0].as_bool());
  CHECK(value.find("x") == nullptr);
  CHECK(json::Value(3).find("x") == nullptr);
  CHECK_THROWS_AS(value.at("x"), Error);
  CHECK_THROWS_AS(value.as_string(), Error);
}
