#include <doctest/doctest.h>

#include <string>

#include "halfstep/error.hpp"

using namespace halfstep;

TEST_CASE("error: the message is one line that cannot drive a terminal, the parts are as given") {
  const Error error(Status::io, {.what = "cannot read",
                                 .where = "a\nb\x1b[2J\x7f\xc2\x9b"
                                          "c\xc3\xa9",
                                 .why = "denied",
                                 .kept = {},
                                 .hint = "\xc2"});
  CHECK(std::string(error.what()) == "cannot read (a\\nb\\x1b[2J\\x7f\\u009bc\xc3\xa9): denied; try: \\xc2");
  CHECK(error.parts().where.substr(0, 3) == "a\nb");
  CHECK(error.code() == "HS-0002");
}
