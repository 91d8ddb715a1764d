#include "data/preprocess.hpp"

#include <cmath>

#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

constexpr std::string_view kMixed = "age,job,keep,t\n20,cook,1,a\n40,,2,b\n,smith,3,a\n30,cook,4,b\n";

Options target(const std::string& name) {
  Options options;
  options.target = name;
  return options;
}
Preprocessor fit(std::string_view text, const Options& options = {}) {
  return Preprocessor::fit(raw_of(text), options);
}
Thrown fitting(std::string_view text, const Options& options = {}) {
  return thrown_by([&] { fit(text, options); });
}
void check_same(const Examples& a, const Examples& b) {
  CHECK(a.rows == b.rows);
  CHECK(a.features == b.features);
  CHECK(a.x == b.x);
  CHECK(a.bytes == b.bytes);
  CHECK(a.byte_scale == b.byte_scale);
  CHECK(a.byte_shift == b.byte_shift);
  CHECK(a.labels == b.labels);
  CHECK(a.targets == b.targets);
}
bool any_says(const std::vector<std::string>& notes, std::string_view text) {
  for (const std::string& note : notes) {
    if (note.find(text) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_SUITE("data/preprocess") {
  TEST_CASE("numbers, categories and missing values") {
    const Preprocessor p = fit(kMixed);
    CHECK(p.task() == Task::classify);
    CHECK(p.classes() == std::vector<std::string>{"a", "b"});
    REQUIRE(p.features() == 5);  // age, cook, smith, missing job, keep
    const Examples e = p.apply(raw_of(kMixed), true);
    CHECK(e.labels == std::vector<std::int32_t>{0, 1, 0, 1});
    const float z = std::sqrt(1.5f);  // 20, 40, 30: deviation sqrt(200/3)
    CHECK(e.x[0] == doctest::Approx(-z));
    CHECK(e.x[5] == doctest::Approx(z));
    CHECK(e.x[10] == 0);  // missing: the mean
    CHECK(std::vector<float>(e.x.begin() + 1, e.x.begin() + 4) == std::vector<float>{1, 0, 0});
    CHECK(std::vector<float>(e.x.begin() + 6, e.x.begin() + 9) == std::vector<float>{0, 0, 1});
    CHECK(p.target_description() == "'t' (column 3): classification, 2 classes, because its values are text");
    CHECK(any_says(p.notes(), "'age': 1 missing"));
    CHECK(p.describe().size() == 4);
    CHECK(p.describe()[0] == "read with a line of names, separator comma");
  }

  TEST_CASE("round trip through JSON gives the same examples") {
    Options options;
    for (const char* name : {"t", "age"}) {
      for (const char* standardize : {"auto", "none"}) {
        options.target = name;
        options.standardize = standardize;
        options.drop = {"keep"};
        const Preprocessor p = fit(kMixed, options);
        const Preprocessor q = Preprocessor::from_json(p.to_json());
        CHECK(q.to_json() == p.to_json());
        CHECK(q.describe() == p.describe());
        check_same(p.apply(raw_of(kMixed), true), q.apply(raw_of(kMixed), true));
        check_same(p.apply(raw_of(kMixed), false), q.apply(raw_of(kMixed), false));
      }
    }
    const RawData digits{"m", Matrix{3, 2, {0, 255, 7, 8, 9, 10}, {}, {5, -1, 5}, ""}};
    const Preprocessor p = Preprocessor::fit(digits, {});
    CHECK(p.classes() == std::vector<std::string>{"-1", "5"});
    check_same(p.apply(digits, true), Preprocessor::from_json(p.to_json()).apply(digits, true));
  }

  TEST_CASE("damaged JSON is refused, not believed") {
    const std::string good = fit(kMixed).to_json();
    refuses_each_beginning(good);
    const auto changed = [&](std::string_view from, std::string_view to) { return status_of_changed(good, from, to); };
    CHECK(changed("\"version\":2", "\"version\":7") == Status::unsupported);
    CHECK(changed("\"version\":2", "\"version\":1") == Status::format);
    CHECK(changed("\"version\":2", "\"version\":0") == Status::format);
    CHECK(changed("\"low\":20.0", "\"low\":\"nan\"") == Status::format);
    CHECK(changed("\"separator\":\",\"", "\"separator\":\"\"") == Status::format);
    CHECK(changed("\"mean\":30", "\"mean\":\"nan\"") == Status::format);
    CHECK(changed("\"index\":3", "\"index\":4") == Status::format);
    CHECK(changed("\"index\":3", "\"index\":-1") == Status::format);
    CHECK(changed("[\"a\",\"b\"]", "[\"a\"]") == Status::format);
    CHECK(changed("[\"a\",\"b\"]", "[\"a\",\"a\"]") == Status::format);
    CHECK(changed("\"classify\"", "\"guess\"") == Status::format);
    CHECK(changed("\"name\":\"job\"", "\"name\":\"age\"") == Status::format);
    CHECK(changed("\"version\":2", "\"version\":2,\"more\":2") == Status::format);
  }

  TEST_CASE("choice of the task") {
    const auto task = [](std::string_view text, Options options = {}) { return fit(text, options).task(); };
    CHECK(task("x,y\n1,0\n2,1\n3,0\n") == Task::classify);
    CHECK(task("x,y\n1,0.5\n2,1\n3,0\n") == Task::regress);
    Options regress;
    regress.task = Task::regress;
    CHECK(task("x,y\n1,0\n2,1\n3,0\n", regress) == Task::regress);
    CHECK(fitting("x,y\n1,a\n2,b\n", regress).status == Status::format);
    std::string many = "x,y\n";
    for (int i = 0; i < 30; ++i) many += "1.5," + std::to_string(i) + "\n";
    CHECK(task(many) == Task::regress);
    const Preprocessor p = fit("x,y\n1,0.5\n2,1.5\n");
    CHECK(p.targets()[0].mean == 1);
    CHECK(p.targets()[0].scale == 0.5);
    CHECK(p.apply(raw_of("x,y\n1,0.5\n2,1.5\n"), true).targets == std::vector<float>{-1, 1});
  }

  TEST_CASE("the target is found by name, index or place") {
    CHECK(fit(kMixed, target("job")).target_description().starts_with("'job' (column 1)"));
    CHECK(fit(kMixed, target("1")).target_description().starts_with("'job' (column 1)"));
    CHECK(fit(kMixed, target("last")).target_description().starts_with("'t'"));
    const Thrown wrong = fitting(kMixed, target("jop"));
    CHECK(wrong.status == Status::invalid_argument);
    CHECK(wrong.says("try: 'job'"));
    CHECK(fitting(kMixed, target("zzzzzzzz")).says("'keep'"));
    CHECK(fitting(kMixed, target("4")).status == Status::invalid_argument);
    Options both;
    both.drop = {"t"};
    CHECK(fitting(kMixed, both).status == Status::invalid_argument);
  }

  TEST_CASE("rows without a target are left out of training and kept for prediction") {
    constexpr std::string_view text = "x,t\n1,a\n2,\n3,b\n";
    const Preprocessor p = fit(text);
    CHECK(any_says(p.notes(), "1 row without a target"));
    CHECK(p.apply(raw_of(text), true).rows == 2);
    CHECK(p.apply(raw_of(text), false).rows == 3);
  }

  TEST_CASE("data that cannot be learnt from stops with an explanation") {
    CHECK(fitting("x,t\n1,a\n2,a\n").says("one class 'a'"));
    CHECK(fitting("x,t\n1,a\n").says("1 rows"));
    const Thrown single = fitting("t\na\nb\na\n");
    CHECK(single.says("one column only"));
    CHECK(single.says("tab, semicolon, pipe, comma, blanks"));
    std::string ids = "x,t\n";
    std::string texts = "x,t\n";
    for (int i = 0; i < 1100; ++i) {
      ids += std::to_string(i) + ",id" + std::to_string(i) + "\n";
      texts += "name" + std::to_string(i) + "," + std::to_string(i % 2) + "\n";
    }
    CHECK(fitting(ids).says("too many classes"));
    const Thrown wide = fitting(texts);
    CHECK(wide.status == Status::limit);
    CHECK(wide.says("--drop x"));
  }

  TEST_CASE("odd columns get a note and stay finite") {
    std::string text = "id,same,none,huge,t\n";
    for (int i = 0; i < 30; ++i) {
      text += std::to_string(1000 + 7 * i) + ",5,," + (i % 2 ? "1e308" : "-1.7e308") + "," + (i % 3 ? "a" : "b") + "\n";
    }
    const Preprocessor p = fit(text);
    CHECK(any_says(p.notes(), "'id' has another whole number"));
    CHECK(any_says(p.notes(), "'same' has the same value"));
    CHECK(any_says(p.notes(), "'none' has no values"));
    for (const float x : p.apply(raw_of(text), true).x) CHECK(std::abs(x) < 10);
    const Examples far = p.apply(raw_of("id,same,none,huge\n1e300,6,1,0\n"), false);
    for (const float x : far.x) CHECK(std::isfinite(x));
    CHECK(far.x[1] == 0);
  }

  TEST_CASE("columns are matched by name, or by position without headers") {
    const Preprocessor p = fit(kMixed);
    const Examples whole = p.apply(raw_of(kMixed), false);
    check_same(whole, p.apply(raw_of("keep,job,age\n1,cook,20\n2,,40\n3,smith,\n4,cook,30\n"), false));
    Options no;
    no.header = "no";
    const RawData bare = raw_of("20,cook,1\n40,,2\n,smith,3\n30,cook,4\n", no);
    check_same(whole, p.apply(bare, false));
    CHECK(thrown_by([&] { p.apply(bare, true); }).says("expected 4 columns"));
    const Thrown differ = thrown_by([&] { p.apply(raw_of("age,jobs,keep,t\n1,x,2,a\n"), true); });
    CHECK(differ.status == Status::format);
    CHECK(differ.says("missing: 'job'; not in the training data: 'jobs'"));
    CHECK(thrown_by([&] { p.apply(raw_of("age,job,keep\n1,cook,2\n"), true); }).says("missing: 't'"));
    CHECK(thrown_by([&] { p.apply(raw_of("age,job,keep\nold,cook,2\n"), false); }).says("line 2"));
  }

  TEST_CASE("unseen categories are all zeros, unseen classes an error, a final full stop is forgiven") {
    const Preprocessor p = fit(kMixed);
    const Examples e = p.apply(raw_of("age,job,keep,t\n20,pilot,1,a.\n30,cook,2,b.\n"), true);
    CHECK(std::vector<float>(e.x.begin() + 1, e.x.begin() + 4) == std::vector<float>{0, 0, 0});
    CHECK(e.labels == std::vector<std::int32_t>{0, 1});
    const Thrown unknown = thrown_by([&] { p.apply(raw_of("age,job,keep,t\n20,cook,1,c\n"), true); });
    CHECK(unknown.status == Status::format);
    CHECK(unknown.says("'c'"));
    CHECK(p.apply(raw_of("age,job,keep,t\n20,cook,1,c\n"), false).rows == 1);
  }

  TEST_CASE("numeric columns taken as categories do not depend on how a file writes them") {
    Options options;
    options.categorical = {"k"};
    const Preprocessor p = fit("k,t\n1,a\n2,b\n10,a\n", options);
    REQUIRE(p.features() == 3);
    const Examples e = p.apply(raw_of("k\n2.0\nx\n10\n"), false);
    CHECK(e.x == LargeVector<float>{0, 1, 0, 0, 0, 0, 0, 0, 1});
  }

  TEST_CASE("images share one mean and deviation") {
    const RawData raw{"m", Matrix{2, 2, {0, 0, 10, 10}, {}, {0, 1}, ""}};
    const Examples e = Preprocessor::fit(raw, {}).apply(raw, true);
    CHECK(0 * e.byte_scale + e.byte_shift == doctest::Approx(-1));
    CHECK(10 * e.byte_scale + e.byte_shift == doctest::Approx(1));
    const RawData wider{"m", Matrix{1, 3, {0, 0, 10}, {}, {0}, ""}};
    CHECK(thrown_by([&] { Preprocessor::fit(raw, {}).apply(wider, true); }).says("expected 2 values"));
    CHECK(thrown_by([&] { Preprocessor::fit(raw, {}).apply(raw_of(kMixed), true); }).status == Status::format);
  }
}
