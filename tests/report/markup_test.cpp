// Text on a page is text, whatever it holds.
#include "report/markup.hpp"

#include <doctest/doctest.h>

#include "report/style.hpp"
#include "support/markup_check.hpp"

namespace halfstep::internal::report {

TEST_CASE("markup: what is special to HTML, to terminals and to the direction of writing is shown as text") {
  CHECK(words("a < b & c > \"d\" 'e'").text == "a &lt; b &amp; c &gt; &quot;d&quot; &#39;e&#39;");
  CHECK(words("x\x1b[31m\n\x7f").text == "x\\x1b[31m\\n\\x7f");
  CHECK(words("\xc2\x9b"
              "2J")
            .text == "\\u009b2J");
  CHECK(words("\xff").text == "\\xff");
  CHECK(words("a\u202eb\u2066c\u200fd").text == "a\\u202eb\\u2066c\\u200fd");
  CHECK(words("Köln ≤ 日本 – \u202f").text == "Köln ≤ 日本 – \u202f");
  CHECK(words(std::string_view("\0", 1)).text == "\\x00");
}

TEST_CASE("markup: attributes are escaped, and those without a value are left out") {
  CHECK(element("td", {{"title", "\"><script>"}, {"class", ""}}, words("x")).text ==
        "<td title=\"&quot;&gt;&lt;script&gt;\">x</td>");
  CHECK(lone_element("path", {{"d", "M0 0"}}).text == "<path d=\"M0 0\"/>");
  CHECK(section("title", "lead", {}).empty());
  CHECK(facts({{"name", ""}}).empty());
}

TEST_CASE("markup: short names are cut between characters") {
  CHECK(short_name("abc", 3) == "abc");
  CHECK(short_name("abcd", 3) == "abc…");
  CHECK(short_name("aéb", 2) == "a…");
}

TEST_CASE("markup: numbers for people") {
  CHECK(count_text(1234) == "1234");
  CHECK(count_text(16777216) == "16\u202f777\u202f216");
  CHECK(count_text(-123456) == "-123\u202f456");
  CHECK(percent_text(0.12345) == "12.3\u202f%");
  CHECK(percent_text(1e-9) == "< 0.001\u202f%");
  CHECK(percent_text(0) == "0\u202f%");
  CHECK(figure_text(0.25) == "0.25");
}

TEST_CASE("the check of pages finds what it is there for") {
  const auto problem = [](std::string_view body) {
    std::string text = page("t", Markup{std::string(body)}, "foot");
    return test::MarkupCheck::problem(text);
  };
  CHECK(problem("<p>fine &amp; well</p>") == "");
  for (const char* bad :
       {"<p>", "</p>", "<p></b></p>", "a & b", "<script>x</script>", "<img/>", "<p onclick=\"x\">a</p>",
        "<p class=x>a</p>", "<p style=\"color:red\">a</p>", "\x1b", "\xc2\x9b", "a > b", "<a href=\"x\">y</a>"}) {
    CAPTURE(bad);
    CHECK(problem(bad) != "");
  }
}

}  // namespace halfstep::internal::report
