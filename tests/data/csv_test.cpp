#include "data/csv_scan.hpp"
#include "data/text.hpp"
#include "data_helpers.hpp"
#include "halfstep/text.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

Options with_header(const std::string& header) {
  Options options;
  options.header = header;
  return options;
}

std::string text_at(const Table& table, std::size_t column, std::size_t row) {
  const Column& c = table.columns[column];
  if (!c.is_text) return number_text(c.numbers[row]);
  return c.missing(row) ? "(missing)" : c.values[c.codes[row]];
}

Thrown reading(std::string_view text, const Options& options = {}) {
  return thrown_by([&] { table_of(text, options); });
}

// A bad number is reported by whoever needs the column's numbers.
Thrown fitting(std::string_view text) {
  return thrown_by([&] { Preprocessor::fit(raw_of(text), Options{}); });
}

}  // namespace

TEST_SUITE("data/csv") {
  TEST_CASE("numbers from text") {
    double x = -1;
    for (const auto& entry : {std::pair<const char*, double>{"1", 1},
                              {"+1.5", 1.5},
                              {"-2e3", -2000},
                              {".5", .5},
                              {"1.", 1},
                              {"1e-400", 0},
                              {"0e999", 0},
                              {"0.0000001e-320", 0}}) {
      const auto& text = entry.first;  // not a structured binding: Clang 14 cannot capture those
      const auto& value = entry.second;
      CAPTURE(text);
      CHECK(parse_number(text, x) == CellKind::number);
      CHECK(x == value);
    }
    for (const char* text : {"inf", "-Infinity", "nan", "1e400", "-1e999999999999999999999"}) {
      CAPTURE(text);
      CHECK(parse_number(text, x) == CellKind::not_finite);
    }
    for (const char* text : {"", "+", "-", ".", "1,5", "0x10", "1.5abc", "+-1", "1e", "e5", "1 2", "--1", "infx"}) {
      CAPTURE(text);
      CHECK(parse_number(text, x) == CellKind::text);
    }
    CHECK(parse_number("0." + std::string(400, '0') + "1", x) == CellKind::number);
    CHECK(parse_number(std::string(400, '9'), x) == CellKind::not_finite);
    CHECK(category_name("+1.0") == "1");
    CHECK(category_name("-0") == "0");
    for (const char* text : {"007", "1.50", "5E2", "9007199254740993", "a"}) CHECK(category_name(text) == text);
  }

  TEST_CASE("separators, line ends, byte order mark, final newline") {
    for (const char* text :
         {"a,b\n1,2\n3,4\n", "a;b\n1;2\n3;4", "a\tb\n1\t2\n3\t4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\r1,2\r3,4\r",
          "\xef\xbb\xbf"
          "a,b\n1,2\n3,4\n",
          "\n\na, b\n\n1, 2\n  \n3 ,4\n\n", "\"a\",\"b\"\n\"1\",2\n3, \"4\" \n"}) {
      CAPTURE(text);
      const Table table = table_of(text);
      REQUIRE(table.columns.size() == 2);
      CHECK(table.has_header);
      CHECK(table.columns[0].name == "a");
      CHECK(table.columns[1].name == "b");
      CHECK(table.columns[0].numbers == std::vector<double>{1, 3});
      CHECK(table.columns[1].numbers == std::vector<double>{2, 4});
    }
    CHECK(table_of("a\n1\n2\n").columns.size() == 1);
    CHECK(table_of("a,b,c\n1,,3\n").columns[1].missing(0));
    CHECK(table_of("a\tb\n1\t\n").columns[1].missing(0));
  }

  TEST_CASE("quotes") {
    const Table table = table_of("name,n\n\"x, \"\"y\"\"\",1\n\"two\nlines\",2\n\"\",3\na\"b,4\n");
    CHECK(text_at(table, 0, 0) == "x, \"y\"");
    CHECK(text_at(table, 0, 1) == "two\nlines");
    CHECK(table.columns[0].missing(2));
    CHECK(text_at(table, 0, 3) == "a\"b");
    CHECK(table.lines == std::vector<std::uint32_t>{2, 3, 5, 6});
    const Thrown open = reading("a,b\n1,2\n3,\"4\n5,6\n");
    CHECK(open.status == Status::format);
    CHECK(open.says("line 3"));
    CHECK(reading("a,b\n1,\"2\"x\n").says("line 2"));
  }

  TEST_CASE("header") {
    CHECK(table_of("x,y,label\n1,2,a\n3,4,b\n").has_header);
    CHECK_FALSE(table_of("1,2,a\n3,4,b\n").has_header);
    CHECK_FALSE(table_of("1,2\n3,4\n").has_header);
    CHECK(table_of("colour,size\nred,big\nblue,small\nred,small\n").has_header);
    CHECK_FALSE(table_of("red,big\nblue,small\nred,small\n").has_header);
    const Table table = table_of("1,2\n3,4\n");
    CHECK(table.columns[1].name == "c1");
    CHECK(table.rows == 2);
    CHECK(table_of("1,2\n3,4\n", with_header("yes")).columns[0].name == "1");
    CHECK(table_of("a,b\n1,2\n", with_header("no")).rows == 2);
    CHECK(table_of(",x\n0,1\n1,2\n").columns[0].name == "c0");
  }

  TEST_CASE("missing values") {
    const Table table = table_of("a,b\n1,x\n?,NA\nnan,N/A\nNULL,null\n,\n");
    REQUIRE_FALSE(table.columns[0].is_text);
    CHECK_FALSE(table.columns[0].missing(0));
    for (std::size_t row = 1; row < 5; ++row) {
      CHECK(table.columns[0].missing(row));
      CHECK(table.columns[1].missing(row));
    }
    Options own;
    own.missing = {"-999"};
    const Table other = table_of("a,b\n1,x\n-999,?\n", own);
    CHECK(other.columns[0].missing(1));
    CHECK(text_at(other, 1, 1) == "?");
  }

  TEST_CASE("malformed files name file and line") {
    const Thrown ragged = reading("a,b\n1,2\n3\n");
    CHECK(ragged.status == Status::format);
    CHECK(ragged.says("end the line with 1 more of the separator (comma)"));
    for (const char* part : {"test.csv", "line 3", "expected 2", "found 1"}) CHECK(ragged.says(part));
    const Thrown wide = reading("a,b\n1,2\n3,4,5\n6,7\n8,9,10\n");
    CHECK(wide.says("found 3; 1 more rows differ"));
    CHECK(wide.says("quotes"));
    CHECK(reading(std::string_view("a,b\n1,2\n3,\0\n", 11)).says("NUL byte"));
    CHECK(reading(std::string_view("a,b\n1,2\n3,\"\0\"\n", 13)).says("line 3"));
    CHECK(reading("").status == Status::format);
    CHECK(reading("\n \n").status == Status::format);
    CHECK(reading("a,b\n").says("0 rows"));
  }

  TEST_CASE("bad numbers name line and column when the column's numbers are needed") {
    const Thrown overflow = fitting("a,t\n1,x\n1e400,y\n");
    CHECK(overflow.status == Status::format);
    for (const char* part : {"line 3", "column 0 'a'", "1e400"}) CHECK(overflow.says(part));
    CHECK(fitting("a,t\n1,x\ninf,y\n").says("'inf'"));
    CHECK(fitting("a,t\n1,x\n1e-400,y\n").status == Status::ok);
    std::string stray = "a,t\n";
    for (int i = 0; i < 100; ++i) stray += std::to_string(i) + ".5," + (i % 2 ? "x\n" : "y\n");
    CHECK(fitting(stray + "o0ps,x\n").says("'o0ps'"));
    CHECK(thrown_by([] {
            Options o;
            o.drop = {"a"};
            Preprocessor::fit(raw_of("a,b,t\ninf,1,x\n1,2,y\n"), o);
          }).status == Status::ok);
  }

  TEST_CASE("messages stay short and printable") {
    CHECK(excerpt("a\nb\x01") == "'a\\nb\\x01'");
    CHECK(excerpt(std::string(500, 'x')).size() < 80);
    CHECK(excerpt("\xff\xc2\x9b") == "'\\xff\\u009b'");
    CHECK(text_at(table_of("n,v\ncaf\xe9,1\nx,2\n"), 0, 0) == "caf\xc3\xa9");
  }
}

TEST_SUITE("data/csv/spreadsheets") {
  TEST_CASE("a first line that names the separator is no row, and lines count on from it") {
    for (const char* end : {"\n", "\r\n", "\r"}) {
      const std::string nl = end;
      const Table table = table_of("sep=;" + nl + "a;b,c" + nl + "1;2,5" + nl + "3;4,5" + nl);
      CHECK(column_names(table) == std::vector<std::string>{"a", "b,c"});
      CHECK(table.separator == ';');
      CHECK(table.lines == std::vector<std::uint32_t>{3, 4});
      CHECK(table.columns[1].numbers == std::vector<double>{2.5, 4.5});
      REQUIRE_FALSE(table.remarks.empty());
      CHECK(table.remarks.back() == "the first line says that semicolon separates fields");
    }
    CHECK(table_of("\xef\xbb\xbfsep=|\na|b\n1|x,y\n2|z\n").columns.size() == 2);
    // With a separator of the user's it is left out all the same.
    Options options;
    options.separator = "comma";
    CHECK(table_of("sep=;\na,b\n1,2\n", options).rows == 1);
    // And this is a name.
    CHECK(table_of("sep=,b\n1,2\n3,4\n").columns[0].name == "sep=");
  }

  TEST_CASE("the sign that ends a text of DOS is no row") {
    CHECK(table_of("a,b\n1,2\n3,4\n\x1a").rows == 2);
    CHECK(table_of("a,b\n1,2\n3,4\x1a").columns[1].numbers == std::vector<double>{2, 4});
  }
}
