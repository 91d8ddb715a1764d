#include "data/sniff_dialect.hpp"

#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

TEST_SUITE("data/dialect") {
  TEST_CASE("the separator makes the records agree") {
    const auto separator = [](std::string_view text) { return sniff_dialect(text, "auto").separator; };
    CHECK(separator("a;b\n1,5;2,5\n") == ';');
    CHECK(separator("1,5;2,5\n3,5;4,5\n") == ';');
    CHECK(separator("a|b\n1|2\n") == '|');
    CHECK(separator("a b\n1   2\n") == kBlanks);
    CHECK(separator("1.5  2\n 3.5\t4\n") == kBlanks);
    CHECK(separator("note,a\n\"x; y; z\",1\n\"p\",2\nq; r,3\n") == ',');
    CHECK(separator("note\ta\nx, y, z\t1\np\t2\n") == '\t');
    CHECK(separator("Smith, John;12\nDoe, Jane;13\n") == ';');
    CHECK(separator("39, State-gov, 1\n50, Private, 2\n") == ',');
    CHECK(separator("2020-01-01 10:00,1.5\n2020-01-01 11:00,2.5\n") == ',');
    CHECK(separator("a\n1\n2\n") == ',');
  }

  TEST_CASE("a separator can be named") {
    const Options named = [] {
      Options o;
      o.separator = ":";
      return o;
    }();
    CHECK(table_of("a:b\n1:2\n", named).columns.size() == 2);
    CHECK(separator_of("blanks") == kBlanks);
    CHECK(separator_of("\\t") == '\t');
    CHECK(thrown_by([] { separator_of("dots"); }).says("tab, semicolon"));
    CHECK(thrown_by([] { separator_of("\""); }).status == Status::invalid_argument);
  }

  TEST_CASE("columns cut by runs of blanks") {
    const Table table = table_of("  1.5    2  a b\n", [] {
      Options o;
      o.header = "no";
      o.separator = "blanks";
      return o;
    }());
    CHECK(table.columns.size() == 4);
    CHECK(table_of("x y\n 1\t 2 \n\"3\" 4").columns[1].numbers == std::vector<double>{2, 4});
  }

  TEST_CASE("tabs that make the records agree are no blanks, though a field before a # is empty") {
    const Table table = table_of("0\t1\t2\n26\t3\t5\n\t#\t49\n7\t8\t9\n");
    CHECK(table.rows == 4);
    CHECK(table.separator == '\t');
    CHECK(table.remarks.empty());
    CHECK(table_of("a\t b\n1\t 2\n3\t4\n").separator == '\t');
    CHECK(table_of("1\t2 3\n4\t5 6\n").separator == kBlanks);  // more columns
  }

  TEST_CASE("comments are left out and counted, data that begins with # is not") {
    const Table table = table_of("# made by hand\n# twice, or so\na,b,c\n1,2,3\n# in between\n4,5,6\n# \"end\n");
    CHECK(table.columns[0].numbers == std::vector<double>{1, 4});
    CHECK(table.lines == std::vector<std::uint32_t>{4, 6});
    REQUIRE(table.remarks.size() == 1);
    CHECK(table.remarks[0] == "4 lines that begin with '#' left out");
    CHECK(table_of("colour,n\n#ff0000,1\n#00ff00,2\n").rows == 2);
    CHECK(table_of("colour,n\nred,0\n#ff0000,1\nblue,2\n").rows == 3);
    CHECK(table_of("#a,b\n1,2\n3,4\n").columns[0].name == "a");
    const Table numpy = table_of("# a b\n1 2\n3 4\n");
    CHECK(numpy.columns[1].name == "b");
    CHECK(numpy.rows == 2);
  }

  TEST_CASE("separators at the ends of lines make no column") {
    for (const char* text : {"a,b,\n1,2,\n3,4,\n", "a,b\n1,2,\n3,4,\n", "a,b\n1,2\n3,4,,\n", "a,b,\n1,2\n3,4\n"}) {
      CAPTURE(text);
      const Table table = table_of(text);
      REQUIRE(table.columns.size() == 2);
      CHECK(table.columns[1].name == "b");
      CHECK(table.columns[1].numbers == std::vector<double>{2, 4});
    }
    CHECK(table_of("1,2,\n3,4,\n").columns.size() == 2);
    CHECK(table_of("a,b,c\n1,2,\n3,4,\n").columns.size() == 3);  // a name stands over the empty column
  }

  TEST_CASE("a column more than names: row names, as R writes them") {
    const Table table = table_of("a,b\nr1,1,2\nr2,3,4\n");
    REQUIRE(table.columns.size() == 3);
    CHECK(table.columns[0].name == "c0");
    CHECK(table.columns[2].name == "b");
  }
}
