// Data read by what a model knows of the table it was trained on.
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

struct Read {
  Examples examples;
  std::vector<std::string> notes;
  bool says(std::string_view text) const {
    for (const std::string& note : notes) {
      if (note.find(text) != std::string::npos) return true;
    }
    return false;
  }
};

Read read(const Preprocessor& trained, std::string_view text, bool need_targets = false, const Options& options = {}) {
  const Preprocessor p = Preprocessor::from_json(trained.to_json());  // as from a model file
  Read result;
  RawData raw{"new.csv", parse_csv({"new.csv", {text.begin(), text.end()}}, options, &p.recipe())};
  result.examples = p.apply(std::move(raw), need_targets, &result.notes);
  return result;
}

Preprocessor train(std::string_view text, const Options& options = {}) {
  return Preprocessor::fit(raw_of(text, options), options);
}

constexpr std::string_view kTable = "age,job,t\n20,cook,a\n40,smith,b\n30,cook,b\n25,smith,a\n";
constexpr std::string_view kBare = "red,small,wood,no\nblue,large,steel,yes\nred,large,wood,yes\nblue,small,wood,no\n";

}  // namespace

TEST_SUITE("data/known_table") {
  TEST_CASE("one row out for each row in, with a line of names or without") {
    const Preprocessor p = train(kTable);
    CHECK(read(p, "age,job\n20,cook\n").examples.rows == 1);
    CHECK(read(p, "job,age\ncook,20\n").says("another order"));
    const Read bare = read(p, "20,cook\n41,pilot\n");
    CHECK(bare.examples.rows == 2);
    CHECK(bare.says("no line of names"));
    CHECK(read(p, "20,cook\n").examples.rows == 1);
    CHECK(read(p, "?,pilot\n").examples.rows == 1);
  }

  TEST_CASE("a table of texts without names keeps its first row") {
    const Preprocessor p = train(kBare);
    REQUIRE_FALSE(p.recipe().has_header);
    CHECK(read(p, "red,small,wood\nblue,large,glass\n").examples.rows == 2);
    CHECK(read(p, "red,small,wood\n").examples.rows == 1);
    CHECK(read(p, "green,tiny,wood\n").examples.rows == 1);
    const Read named = read(p, "colour,size,matter\nred,small,wood\nblue,large,steel\n");
    CHECK(named.examples.rows == 2);
    CHECK(named.says("'colour'"));
  }

  TEST_CASE("a first row of unknown categories is told from a line of names by its target") {
    const Preprocessor p = train("b,b\na,c\na,b\nc,a\nb,c\n");
    REQUIRE_FALSE(p.recipe().has_header);
    CHECK(read(p, "x,a\nb,b\na,c\n").examples.rows == 3);
    CHECK(read(p, "x,y\nb,b\na,c\n").examples.rows == 2);
    CHECK(read(p, "x,\nb,b\na,c\n").examples.rows == 3);
    Options options;
    options.task = Task::regress;
    const Preprocessor number = train("b,2\na,3\na,2\nc,1\nb,3\n", options);
    CHECK(read(number, "x,7\nb,2\na,3\n").examples.rows == 3);
    CHECK(read(number, "x,y\nb,2\na,3\n").examples.rows == 2);
  }

  TEST_CASE("a time of day is no index and value of LIBSVM") {
    const Preprocessor p = train("-65;9:15\n-60;12:30\n-61;12:30\n-64;9:15\n");
    CHECK(read(p, "-65;12:30\n").examples.rows == 1);
    const Preprocessor blanks = train("when at\nearly 9:15\nlate 12:30\nlate 12:30\nearly 9:15\n");
    CHECK(read(blanks, "late 12:30\n").examples.rows == 1);
  }

  TEST_CASE("rows that look strange are rows: Latin-1, a column without a name, units") {
    const Preprocessor latin = train("caf\xe9,rouge,a\nth\xe9,vert,b\ncaf\xe9,vert,a\nth\xe9,rouge,b\n");
    CHECK(read(latin, "caf\xe9,rose\nth\xe9,vert\n").examples.rows == 2);
    const Preprocessor ends = train("a;t\nx y;1;\nz;2;\nx y;1;\n");
    CHECK(read(ends, "a;t\nx y;1;\nz;2;\n").examples.rows == 2);
    const Preprocessor unnamed = train(",y\n1,a\n2,b\n3,a\n");
    CHECK(read(unnamed, ",y\n1,a\n2,b\n").examples.rows == 2);
    std::string units;
    for (int i = 0; i < 60; ++i) units += std::to_string(i) + (i % 2 ? " kg;x\n" : " kg;y\n");
    Options options;
    options.header = "no";
    CHECK(read(train(units, options), "5 kg\n6 kg\n").examples.rows == 2);
  }

  TEST_CASE("a row whose last columns are empty has them all the same") {
    const Preprocessor p = train("1;2;3;a\n4;5;6;b\n7;8;9;a\n");
    const Read one = read(p, "1;;;\n"), two = read(p, "1;;;\n4;5;6;b\n");
    REQUIRE(one.examples.rows == 1);
    for (std::size_t i = 0; i < 3; ++i) CHECK(one.examples.x[i] == two.examples.x[i]);
    CHECK(read(p, "1;;\n").examples.rows == 1);     // without the target
    CHECK(read(p, "1;;;;;\n").examples.rows == 1);  // and with separators at the end
    CHECK(thrown_by([&] { read(p, "1;\n"); }).says("expected 4 columns"));
  }

  TEST_CASE("columns stay in their places where the target comes first and the last is empty") {
    Options options;
    options.target = "0";
    options.header = "no";
    const Preprocessor p = train("a;2;3\nb;5;6\na;8;9\n", options);
    const Read one = read(p, "a;2;\n"), two = read(p, "a;2;\nb;5;6\n"), bare = read(p, "2;3\n");
    CHECK(one.examples.x[0] == two.examples.x[0]);
    CHECK(one.examples.x[1] == two.examples.x[1]);
    CHECK(bare.examples.x[0] == one.examples.x[0]);
  }

  TEST_CASE("names tell whether separators at the ends of lines end a column") {
    const Preprocessor p = train("a;b;t\n1;2;x\n3;4;y\n5;6;x\n");
    CHECK(read(p, "a;b;\n1;2;\n").notes.empty());
    const Preprocessor nameless = train("t;a;\nx;1;2\ny;3;4\nx;5;6\n", [] {
      Options options;
      options.target = "t";
      return options;
    }());
    CHECK(read(nameless, "t;a;\nx;1;\n").examples.x[0] == read(nameless, "t;a;\nx;1;2\n").examples.x[0]);
  }

  TEST_CASE("names that are numbers are known as names") {
    Options options;
    options.header = "yes";
    const Preprocessor p = train("0,1,t\n.5,1,a\n1.5,2,b\n2.5,1,a\n", options);
    CHECK(read(p, "0,1\n.5,2\n").examples.rows == 1);
  }

  TEST_CASE("missing tokens, words and decimal signs of training hold") {
    Options options;
    options.missing = {"-999"};
    const Preprocessor p = train("a,b,t\n1,1,x\n-999,2,y\n3,4,x\n", options);
    const Read missing = read(p, "a,b\n-999,1\n,1\n");
    CHECK(missing.examples.x[0] == missing.examples.x[2]);
    std::string words = "v,t\n";
    for (int i = 0; i < 60; ++i)
      words += (i % 10 == 3 ? "not given" : std::to_string(i) + ".5") + (i % 2 ? ",x\n" : ",y\n");
    CHECK(read(train(words), "v\nnot given\n").examples.x[0] == 0);
    CHECK(thrown_by([&] { read(train(words), "v\n1\nnot known\n"); }).says("line 3"));
    Options token;
    token.missing = {"not known"};
    CHECK(read(train(words), "v\nnot known\n", false, token).examples.x[0] == 0);
    const Preprocessor comma = train("v;w;t\n1,5;2;x\n2,5;3;y\n4,5;3;y\n");
    CHECK(read(comma, "v;w\n1,5;2\n").examples.x[0] == read(comma, "v;w\n1.5;2\n").examples.x[0]);
    CHECK(read(comma, "v,w\n1.5,2\n").examples.rows == 1);
  }

  TEST_CASE("differences are told with counts") {
    const Preprocessor p = train(kTable);
    const Read far = read(p, "age,job,more\n99,pilot,1\n-5,Cook,1\n,cook,1\n20,,1\n");
    CHECK(far.says("1 column that training did not have left aside: 'more'"));
    CHECK(far.says("'job' 2 rows ('pilot', 'Cook')"));
    CHECK(far.says("missing values where training had none: 'age' 1 row; 'job' 1 row"));
    CHECK(far.says("'age' 2 rows, up to 99 (20 to 40)"));
    CHECK(read(p, "age,job\n20,cook\n40,smith\n").notes.empty());
    const Thrown absent = thrown_by([&] { read(p, "Age,job\n20,cook\n"); });
    CHECK(absent.says("missing: 'age'; not in the training data: 'Age'"));
    CHECK(absent.says("try: rename"));
    const Read target = read(p, "age,job,t\n20,cook,a\n30,cook,\n", true);
    CHECK(target.examples.rows == 1);
    CHECK(target.says("1 row without a target in 't' left out"));
    CHECK(read(p, "age,job,t\n20,cook,a\n30,cook,\n").examples.rows == 2);
  }

  TEST_CASE("units that differ are told") {
    std::string text = "w,t\n";
    for (int i = 0; i < 60; ++i) text += std::to_string(i) + (i % 2 ? " kg,x\n" : " kg,y\n");
    const Preprocessor p = train(text);
    CHECK(p.recipe().columns[0].unit == "kg");
    CHECK(read(p, "w\n5 kg\n6 kg\n").notes.empty());
    CHECK(read(p, "w\n5 lb\n6 lb\n").says("'w' 'lb', in training 'kg'"));
  }

  TEST_CASE("preprocessing of version 1 is still read, without what it did not know") {
    const std::string old =
        R"({"version":1,"standardize":true,"target":{"name":"t","index":1,"task":"classify","classes":["a","b"],"mean":0.0,)"
        R"("scale":1.0,"description":"d"},"has_header":true,"columns":[{"name":"v","kind":"number","mean":1.0,"scale":2.0}]})";
    const Read r = read(Preprocessor::from_json(old), "v\n5\n?\n");
    CHECK(r.examples.x[0] == 2);
    CHECK(r.notes.empty());
  }
}
