// Several targets: which columns they are, the rows that have them all, and what a model keeps of them.
#include <algorithm>
#include <cmath>

#include "data/folds.hpp"
#include "data/hold_out.hpp"
#include "data/target.hpp"
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

// Targets are h and w; a, job and "x,y" are inputs.
std::string people(int rows) {
  std::string text = "a,h,job,\"x,y\",w\n";
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(i * 7 % 11) + "," + (i == 3 ? "" : std::to_string(i) + ".5") + "," +
            (i % 2 ? "cook" : "smith") + "," + std::to_string(i * i) + "," +
            (i == 3 || i == 4 ? "NA" : std::to_string(1000 - 3 * i) + ".25") + "\n";
  }
  return text;
}

Options targets_of(const std::string& targets) {
  Options options;
  options.target = targets;
  return options;
}

std::vector<std::size_t> places_of(const std::string& targets) {
  const Options options = targets_of(targets);
  std::vector<std::size_t> places;
  for (const TargetColumn& column : choose_target(raw_of(people(20), options), options).columns) {
    places.push_back(column.index);
  }
  return places;
}

Thrown refused(const Options& options, const std::string& text = people(20)) {
  return thrown_by([&] { Preprocessor::fit(raw_of(text, options), options); });
}

Preprocessor fitted(const std::string& targets) {
  return Preprocessor::fit(raw_of(people(20), targets_of(targets)), targets_of(targets));
}

using Places = std::vector<std::size_t>;

}  // namespace

TEST_SUITE("data/several_targets") {
  TEST_CASE("columns are named alone or in a list: by name, index, place; a name with a comma is a name") {
    CHECK(places_of("h,w") == Places{1, 4});
    CHECK(places_of("w,h") == Places{4, 1});
    CHECK(places_of("last,0,h") == Places{4, 0, 1});
    CHECK(places_of("x,y") == Places{3});
    CHECK(places_of("3,w") == Places{3, 4});
    CHECK(places_of("h") == Places{1});
    CHECK(refused(targets_of("h,w,1")).says("a target is named twice (--target): 'h'"));
    CHECK(refused(targets_of("h,weight")).says("no such column (--target): 'weight'"));
    CHECK(refused(targets_of("h,wx")).says("try: 'w'"));
    for (const char* bad : {"h,", ",h", "h,,w", ","}) {
      CHECK(refused(targets_of(bad)).status == Status::invalid_argument);
      CHECK(refused(targets_of(bad)).says("an item of the list is empty"));
    }
  }

  TEST_CASE("a row counts where it has all targets, and the note says which were missing") {
    const Options options = targets_of("h,w");
    const TargetChoice choice = choose_target(raw_of(people(20), options), options);
    CHECK(choice.task == Task::regress);
    CHECK(choice.description == "'h' (column 1), 'w' (column 4): regression, 2 targets");
    CHECK(choice.rows.size() == 18);
    CHECK(std::find(choice.rows.begin(), choice.rows.end(), 4u) == choice.rows.end());
    REQUIRE(choice.notes.size() == 1);
    CHECK(choice.notes[0] ==
          "2 rows without all targets left out: 'h' is missing in 1 row, 'w' in 2 rows (taken as missing: 'NA' (2))");
    const Preprocessor p = fitted("h,w");
    std::vector<std::string> notes;
    CHECK(p.apply(raw_of(people(20)), true, &notes).rows == 18);
    CHECK(notes.at(0).starts_with("2 rows without all targets left out: 'h' is missing in 1 row, 'w' in 2 rows"));
    CHECK(p.apply(raw_of(people(20)), false).rows == 20);
    CHECK(refused(options, "a,h,w\n1,,2\n2,5,\n3,7,8\n").says("1 have all targets: 'h' is missing in 1 row, 'w' in 1"));
  }

  TEST_CASE("each target is standardised by the mean and deviation of the rows that count") {
    const Preprocessor p = fitted("w,h");
    const Examples e = p.apply(raw_of(people(20)), true);
    REQUIRE(e.outputs == 2);
    REQUIRE(e.targets.size() == 36);
    REQUIRE(e.exact_targets.size() == 36);
    for (std::size_t t = 0; t < 2; ++t) {
      double sum = 0, squares = 0;
      for (std::size_t row = 0; row < 18; ++row) sum += e.exact_targets[row * 2 + t];
      for (std::size_t row = 0; row < 18; ++row) squares += e.exact_targets[row * 2 + t] * e.exact_targets[row * 2 + t];
      CHECK(std::abs(sum) < 1e-12);
      CHECK(squares / 18 == doctest::Approx(1));
    }
    // Row 5 of the file is the fourth that counts.
    const TargetColumn &w = p.targets()[0], &h = p.targets()[1];
    CHECK(e.exact_targets[3 * 2] * w.scale + w.mean == doctest::Approx(1000 - 15 + 0.25));
    CHECK(e.exact_targets[3 * 2 + 1] * h.scale + h.mean == doctest::Approx(5.5));
    CHECK(e.targets[7] == static_cast<float>(e.exact_targets[7]));
    const std::vector<std::uint32_t> some = {17, 3};
    const Examples taken = take_rows(e, some);
    CHECK(taken.outputs == 2);
    CHECK(taken.targets == std::vector<float>{e.targets[34], e.targets[35], e.targets[6], e.targets[7]});
    CHECK(taken.exact_targets.size() == 4);
  }

  TEST_CASE("classes are refused: by task, by text, by --categorical, and 0 and 1 in place of labels") {
    Options options = targets_of("h,w");
    options.task = Task::classify;
    CHECK(refused(options).says("several targets are values, not classes (--task classify)"));
    CHECK(refused(targets_of("h,job")).says("'job' (column 2) is text; try: a model of its own for it: --target job"));
    options = targets_of("h,job");
    options.task = Task::regress;
    CHECK(refused(options).says("'job' (column 2) is text"));
    options = targets_of("h,w");
    options.categorical = {"w"};
    CHECK(refused(options).says("(--categorical): 'w' (column 4) is a target"));
    std::string hot = "a,p,q,r\n";
    for (int i = 0; i < 12; ++i) {
      hot += std::to_string(i) + "," + std::to_string(i % 3 == 0) + "," + std::to_string(i % 3 == 1) + "," +
             std::to_string(i % 3 == 2) + "\n";
    }
    CHECK(refused(targets_of("p,q,r"), hot).says("in each row one of 'p', 'q', 'r' is 1 and the others are 0"));
    options = targets_of("p,q,r");
    options.task = Task::regress;
    CHECK(refused(options, hot).status == Status::ok);
    // Two of three are not: quantities, with a note.
    options = targets_of("p,q");
    const TargetChoice few = choose_target(raw_of(hot, options), options);
    REQUIRE(few.notes.size() == 1);
    CHECK(few.notes[0] == "'p', 'q' have few whole numbers, taken as quantities since there are several targets");
    const Thrown typo = refused(
        targets_of("h,a"), "a,h,b\n" + [] {
          std::string text;
          for (int i = 0; i < 60; ++i) text += std::to_string(i) + ".5," + (i == 30 ? "x" : std::to_string(i)) + ",1\n";
          return text;
        }());
    CHECK(typo.status == Status::format);
    CHECK(typo.says("line 32"));
  }

  TEST_CASE("a target is nothing else too, and inputs must be left") {
    for (auto Options::*list : {&Options::drop, &Options::categorical}) {
      Options options = targets_of("h,w");
      options.*list = {"h"};
      CHECK(refused(options).status == Status::invalid_argument);
    }
    for (auto Options::*column : {&Options::group, &Options::weights}) {
      Options options = targets_of("w,h");
      options.*column = "h";
      const RawData raw = raw_of(people(20), options);
      const TargetChoice choice = choose_target(raw, options);
      const Thrown thrown = thrown_by([&] {
        row_weights(raw, choice, options);
        hold_out(raw, choice, 0.2, options);
      });
      CHECK(thrown.says("the target cannot be this column too"));
      CHECK(thrown.says("'h'"));
    }
    Options options = targets_of("h,w,a,3");
    options.drop = {"job"};
    CHECK(refused(options).says("5 columns, 4 of them targets, 'h', 'w', 'a', 'x,y', the others dropped"));
  }

  TEST_CASE("rows are held out, in folds too, from those that count") {
    for (const char* split : {"random", "ordered"}) {
      for (const char* group : {"", "a"}) {
        Options options = targets_of("h,w");
        options.split = *group ? "random" : split;
        options.group = group;
        const RawData raw = raw_of(people(40), options);
        const TargetChoice choice = choose_target(raw, options);
        const Split parts = hold_out(raw, choice, 0.25, options);
        CHECK(parts.train.size() + parts.validation.size() == 38);
        for (const auto* rows : {&parts.train, &parts.validation}) {
          for (const std::uint32_t row : *rows) CHECK((row != 3 && row != 4));
        }
        CHECK(folds_of(raw, choice, 3, options).size() == 3);
      }
    }
    Options options = targets_of("h,w");
    options.split = "stratified";
    const RawData raw = raw_of(people(20), options);
    CHECK(thrown_by([&] { hold_out(raw, choose_target(raw, options), 0.2, options); }).says("no classes"));
  }

  TEST_CASE("the columns are found again: in another order, without targets, without names") {
    const Preprocessor p = Preprocessor::from_json(fitted("w,h").to_json());
    const Examples whole = p.apply(raw_of("a,h,job,\"x,y\",w\n1,2,cook,3,4\n5,6,smith,7,8\n"), true);
    const auto same = [&](std::string_view text, bool targets, const Options& options = {}) {
      const RawData raw{"t", parse_csv(source_of(text), options, &p.recipe())};
      const Examples e = p.apply(raw, targets);
      CHECK(e.x == whole.x);
      if (targets) CHECK(e.targets == whole.targets);
    };
    same("w,job,a,\"x,y\",h\n4,cook,1,3,2\n8,smith,5,7,6\n", true);
    same("job,a,\"x,y\"\ncook,1,3\nsmith,5,7\n", false);
    same("job,a,\"x,y\",w\ncook,1,3,9\nsmith,5,7,9\n", false);
    Options no;
    no.header = "no";
    same("1,2,cook,3,4\n5,6,smith,7,8\n", true, no);
    same("1,cook,3\n5,smith,7\n", false, no);
    same("1,2,cook,3,4\n5,6,smith,7,8\n", true);  // it sees that these are rows
    same("1,cook,3\n5,smith,7\n", false);
    CHECK(thrown_by([&] { same("job,a,\"x,y\",w\ncook,1,3,9\n", true); }).says("missing: 'h'"));
    CHECK(thrown_by([&] {
            same("1,2,cook,3\n5,6,smith,7\n", false, no);
          }).says("expected 5 columns, targets 'w', 'h' included, found 4"));
    CHECK(thrown_by([&] { same("a,h,job,\"x,y\",w\n1,tall,cook,3,4\n", true); }).says("'tall'"));
  }

  TEST_CASE("columns behind targets are read as what they are where the targets are not there") {
    std::string codes = "h,w,code,size\n", words = "h,job,w,colour,size\n";
    for (int i = 0; i < 40; ++i) {
      const std::string h = std::to_string(i) + ".5,", w = std::to_string(i * i) + ".5,";
      const std::string size = "," + std::to_string(i * 7 % 11) + "\n";
      codes += h + w + "0" + std::to_string(i % 4) + size;
      words += h + (i % 2 ? "cook," : "smith,") + w + (i % 3 ? "red" : "blue") + size;
    }
    const auto applied = [](const std::string& text, std::string_view rows) {
      const Preprocessor p = Preprocessor::fit(raw_of(text, targets_of("h,w")), targets_of("h,w"));
      return p.apply({"t", parse_csv(source_of(rows), {}, &p.recipe())}, false);
    };
    const Examples named = applied(codes, "code,size\n01,4\n03,5\n"), bare = applied(codes, "01,4\n03,5\n");
    CHECK(std::count(named.x.begin(), named.x.end(), 1.0f) == 2);  // each has its code
    CHECK(bare.x == named.x);
    CHECK(thrown_by([&] { applied(codes, "01,4\n03,tall\n"); }).says("training knew numbers only"));
    const Examples job = applied(words, "job,colour,size\ncook,red,\nsmith,blue,5\n");
    CHECK(std::count(job.x.begin(), job.x.end(), 1.0f) == 4);
    CHECK(applied(words, "cook,red,NA\nsmith,blue,5\n").x == job.x);  // the first is no line of names
  }

  TEST_CASE("a recipe with several targets is JSON of version 4; with one it is as before") {
    const Preprocessor p = fitted("w,h");
    const std::string text = p.to_json();
    CHECK(text.find("\"version\":4,") != std::string::npos);
    CHECK(text.find("\"targets\":{\"columns\":[{\"name\":\"w\",\"index\":4,") != std::string::npos);
    const Preprocessor q = Preprocessor::from_json(text);
    CHECK(q.to_json() == text);
    CHECK(q.task() == Task::regress);
    CHECK(q.target_description() == p.target_description());
    REQUIRE(q.targets().size() == 2);
    CHECK(q.targets()[1].name == "h");
    CHECK(q.targets()[1].mean == p.targets()[1].mean);
    CHECK(q.targets()[1].scale == p.targets()[1].scale);
    for (std::size_t i = 0; i < p.recipe().columns.size(); ++i) {
      CHECK(q.recipe().columns[i].index == p.recipe().columns[i].index);
    }
    const std::string single = fitted("h").to_json();
    CHECK(single.starts_with("{\"version\":2,\"standardize\":true,\"target\":{\"name\":\"h\",\"index\":1,\"task\":"));
    CHECK(single.find("targets") == std::string::npos);
  }

  TEST_CASE("a recipe whose targets do not fit is refused") {
    const std::string good = fitted("w,h").to_json();
    refuses_each_beginning(good);
    const auto changed = [&](std::string_view from, std::string_view to) { return status_of_changed(good, from, to); };
    CHECK(changed("\"version\":4", "\"version\":7") == Status::unsupported);
    CHECK(changed("\"version\":4", "\"version\":3") == Status::format);
    CHECK(changed("\"index\":4", "\"index\":1") == Status::format);
    CHECK(changed("\"index\":4", "\"index\":5") == Status::format);
    CHECK(changed("\"index\":4", "\"index\":-1") == Status::format);
    CHECK(changed("\"name\":\"w\"", "\"name\":\"h\"") == Status::format);
    CHECK(changed("\"name\":\"w\"", "\"name\":\"job\"") == Status::format);
    CHECK(changed("\"scale\":", "\"scale\":-") == Status::format);
    CHECK(changed("\"scale\":", "\"scale\":0,\"more\":") == Status::format);
    CHECK(changed("\"targets\":{\"columns\":[", "\"targets\":{\"columns\":[],\"more\":[") == Status::format);
    CHECK(changed("\"columns\":[{\"name\":\"a\"", "\"matrix\":{},\"columns\":[{\"name\":\"a\"") == Status::format);
    const std::size_t first = good.find("{\"name\":\"w\""), second = good.find(",{\"name\":\"h\"");
    std::string one = good;
    one.erase(first, second + 1 - first);
    CHECK(thrown_by([&] { Preprocessor::from_json(one); }).status == Status::format);
  }
}
