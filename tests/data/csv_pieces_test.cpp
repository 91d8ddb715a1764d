// A table that many threads read in pieces is the one that one thread reads.
#include <random>

#include "data/read_how.hpp"
#include "data/target.hpp"
#include "data_helpers.hpp"
#include "halfstep/text.hpp"
#include "parallel/executor.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

// Everything that a table says.
std::string told(const Table& table) {
  std::string out = std::to_string(table.rows) + (table.has_header ? " named" : "") + table.separator +
                    (table.decimal_comma ? " comma" : "");
  const auto add = [&](const std::string& text) { out += "|" + text; };
  for (const std::uint32_t line : table.lines) add(std::to_string(line));
  for (const std::string& remark : table.remarks) add(remark);
  for (const std::string& token : table.unused_missing) add(token);
  for (const Column& c : table.columns) {
    out += "\n" + c.name + (c.is_text ? " texts " : " numbers ") + c.unit;
    for (const double number : c.numbers) add(number_text(number));
    for (const std::uint32_t code : c.codes) add(std::to_string(code));
    for (const std::string& value : c.values) add(value);
    for (const TokenCount& token : c.missing_tokens) add(token.token + " x " + std::to_string(token.count));
    for (const std::string& remark : c.remarks) add(remark);
    if (c.problem) add(c.problem->what + c.problem->where + c.problem->why + c.problem->hint);
  }
  return out;
}

std::string read(std::string_view text, const Options& options, const ReadHow& how, int* threads = nullptr) {
  try {
    const Table table = parse_csv(source_of(text), options, nullptr, how);
    if (threads != nullptr) *threads = table.threads;
    return told(table);
  } catch (const Error& error) {
    return error.what();
  }
}

// Tables that are mostly well-formed, of columns that are mostly of one kind.
class Dirty {
 public:
  explicit Dirty(std::uint32_t seed) : random_(seed) {}

  std::string text() {
    end_ = pick({"\n", "\n", "\r\n", "\r"});
    separator_ = pick({",", ",", ";", "\t"});
    quotes_ = one_in(2), comments_ = one_in(3), ragged_ = one_in(6), blank_lines_ = one_in(3);
    const std::size_t columns = 1 + below(6), rows = below(one_in(4) ? 1500 : 120);
    for (std::size_t i = 0; i < columns; ++i) kinds_.push_back(below(8));
    std::string out;
    if (one_in(2)) out += record(columns, [&](std::size_t i) { return "name" + std::to_string(i); });
    for (std::size_t row = 0; row < rows; ++row) {
      if (comments_ && one_in(9)) out += "# remark, with \"quote" + end_;
      if (blank_lines_ && one_in(9)) out += (one_in(2) ? "   " : "") + end_;
      std::size_t width = columns;
      if (ragged_ && one_in(200)) width += one_in(2) ? 1 : 2;
      if (ragged_ && one_in(200)) width = 1 + below(columns);
      out += record(width, [&](std::size_t i) { return cell(i < columns ? kinds_[i] : 7); });
    }
    if (one_in(3) && !out.empty()) out.resize(out.size() - below(std::min<std::size_t>(out.size(), 4)));
    return out;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::string pick(std::initializer_list<const char*> of) { return of.begin()[below(of.size())]; }

  template <class F>
  std::string record(std::size_t width, F cell) {
    std::string out;
    for (std::size_t i = 0; i < width; ++i) out += (i > 0 ? separator_ : "") + cell(i);
    return out + end_;
  }

  std::string quoted(std::string text) {
    if (one_in(3)) text += separator_ + "x" + end_ + "y";
    if (one_in(4)) text += "\"\"" + text;
    return " \"" + text + "\"";
  }

  std::string cell(std::size_t kind) {
    if (one_in(60))
      return pick({"", " ", "NA", "?", "-", "none", "-999", "oops", "1,5", "1.234,5", "$5", "inf", "1e999"});
    std::string text = std::to_string(below(2000000));
    if (kind == 0) text = std::to_string(below(3));
    if (kind == 1) text = pick({"-", ""}) + std::to_string(below(100000)) + "." + std::to_string(below(1000000));
    if (kind == 2) text = pick({"red", "green", "blue", " pale blue "}) + std::to_string(below(4));
    if (kind == 3) text = "00" + std::to_string(below(40));
    if (kind == 4) text = number_text(static_cast<double>(random_()) / 3.0e5);
    if (kind == 5) text = pick({"$1,234", "12 kg", "3.5e-3", "+4", ".5", "5."});
    if (quotes_ && one_in(5)) text = quoted(text);
    return one_in(20) ? " " + text + " " : text;
  }

  std::mt19937 random_;
  std::string end_, separator_;
  bool quotes_ = false, comments_ = false, ragged_ = false, blank_lines_ = false;
  std::vector<std::size_t> kinds_;
};

}  // namespace

TEST_SUITE("data/csv_pieces") {
  TEST_CASE("dirty tables: the same table or the same message, however they are cut") {
    const auto executor = make_executor(3);
    int in_pieces = 0, good = 0;
    for (std::uint32_t seed = 0; seed < 400; ++seed) {
      Dirty dirty(seed);
      const std::string text = dirty.text();
      Options options;
      if (seed % 5 == 1) options.missing = {"-999", "none"};
      if (seed % 7 == 2) options.target = "0";
      if (seed % 11 == 3) options.task = Task::classify;
      const std::string expected = read(text, options, {});
      for (const std::size_t bytes : {1u, 17u, 100u, 1000u}) {
        CAPTURE(seed);
        CAPTURE(bytes);
        int threads = 1;
        REQUIRE(read(text, options, {executor.get(), bytes}, &threads) == expected);
        in_pieces += threads > 1 ? 1 : 0;
      }
      good += expected.find("error") == std::string::npos ? 1 : 0;
    }
    CHECK(in_pieces > 400);
    CHECK(good > 200);
  }

  TEST_CASE("one column of many numbers, whose texts are kept until they are too many") {
    const auto executor = make_executor(2);
    for (const char* last : {"1", "1.5", "007", "word", "1,5"}) {
      std::string text = "a,y\n";
      for (int i = 0; i < 3000; ++i) text += std::to_string(i) + "," + std::to_string(i * 7 % 2503) + "\n";
      text += std::string("1,") + (last[1] == ',' ? "\"1,5\"" : last) + "\n";
      CAPTURE(last);
      for (const std::size_t bytes : {50u, 700u, 9000u}) {
        CHECK(read(text, {}, {executor.get(), bytes}) == read(text, {}, {}));
      }
      const Table table = table_of(text);
      const Column& y = table.columns[1];
      if (last[0] == '1') CHECK((!y.is_text && y.codes.empty() && y.values.empty()));
      if (last[0] == 'w') {  // as if its texts had never been forgotten
        CHECK((y.problem && y.codes.size() == 3001 && y.values.size() == 2504));
        CHECK(thrown_by([&] { choose_target({"test.csv", table}, {}); }).says("line 3002"));
      }
      if (last[0] == '0') CHECK(y.remarks.at(0).find("digits that are names") != std::string::npos);
    }
    Options classes;
    classes.task = Task::classify;
    std::string text = "a,y\n";
    for (int i = 0; i < 4000; ++i) text += "1," + std::to_string(i % 1200) + (i % 2 ? ".0\n" : "\n");
    CHECK(table_of(text, classes).columns[1].values.size() == 1200);
    CHECK(table_of(text).columns[1].values.empty());
  }

  TEST_CASE("subnormal numbers are counted and compared as what they are on any thread") {
    const auto executor = make_executor(2);
    std::string text = "a,b,y\n";
    for (int i = 0; i < 300; ++i) text += std::to_string(i % 25) + "e-320," + (i % 2 ? "0" : "1e-310") + ",1.5\n";
    Options options;
    options.missing = {"0"};
    CHECK(read(text, options, {executor.get(), 100}) == read(text, options, {}));
    CHECK(read(text, options, {}).find("0 x 150") != std::string::npos);
  }

  TEST_CASE("without threads, or with one, nothing is cut") {
    std::string text = "a,b\n";
    for (int i = 0; i < 300; ++i) text += "1,2\n";
    int threads = 0;
    read(text, {}, {nullptr, 10}, &threads);
    CHECK(threads == 1);
    const auto one = make_executor(1), two = make_executor(2);
    read(text, {}, {one.get(), 10}, &threads);
    CHECK(threads == 1);
    read(text, {}, {two.get(), 10}, &threads);
    CHECK(threads == 2);
  }
}
