#include <doctest/doctest.h>

#include <string>

#include "halfstep/text.hpp"
#include "text/json.hpp"
#include "text/utf8.hpp"

using halfstep::json_text;
using halfstep::printable;
using halfstep::internal::is_control;

TEST_CASE("printable: control characters become visible, the rest stays") {
  CHECK(printable("plain 'text' \\ \"quoted\"") == "plain 'text' \\ \"quoted\"");
  CHECK(printable("Zürich \u20ac \U0001f600") == "Zürich \u20ac \U0001f600");
  CHECK(printable("a\x1b[2Jb") == "a\\x1b[2Jb");
  CHECK(printable("a\nb\rc\td\x7f") == "a\\nb\\rc\\td\\x7f");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(printable("a\xc2\x9b"
                  "2J") == "a\\u009b2J");
  CHECK(printable("\xc2\xa0") == "\xc2\xa0");  // the first after C1
  CHECK(printable("").empty());
}

TEST_CASE("printable: bytes that are no UTF-8 become visible") {
  CHECK(printable("a\x9b"
                  "2J") == "a\\x9b2J");
  CHECK(printable("caf\xe9") == "caf\\xe9");
  CHECK(printable("\xc2") == "\\xc2");                    // cut off
  CHECK(printable("\xc2\x1b[") == "\\xc2\\x1b[");         // a lead byte does not swallow what follows
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
}

TEST_CASE("printable: nothing of any two bytes reaches a terminal as a control character") {
  const auto tame = [](std::string_view text) {
    while (!text.empty()) {
      const std::size_t length = halfstep::internal::utf8_length(text);
      if (length == 0 || is_control(text.substr(0, length))) return false;
      text.remove_prefix(length);
    }
    return true;
  };
  CHECK_FALSE(tame("\x1b"));
  for (int first = 0; first < 256; ++first) {
    CAPTURE(first);
    bool all = true;
    for (int second = 0; second < 256; ++second) {
      const std::string bytes = {static_cast<char>(first), static_cast<char>(second)};
      all = all && tame(printable(bytes)) && tame(json_text(bytes));
    }
    CHECK(all);
  }
}

TEST_CASE("JSON escapes control characters, C1 too, and reads them back") {
  CHECK(json_text("a\x1b\x7f\xc2\x80\xc2\x9f\xc2\xa0") == "\"a\\u001b\\u007f\\u0080\\u009f\xc2\xa0\"");
  CHECK(halfstep::internal::json::parse(json_text("a\xc2\x9b")).as_string() == "a\xc2\x9b");
}
