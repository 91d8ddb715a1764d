#include "data/data.hpp"

#include <algorithm>
#include <numeric>

#include "data/builtin.hpp"
#include "data/split.hpp"
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

TEST_SUITE("data/split") {
  TEST_CASE("a split holds every row once and repeats under its seed") {
    const Split split = split_rows(103, 0.1, 7);
    CHECK(split.validation.size() == 10);
    std::vector<std::uint32_t> all = split.train;
    all.insert(all.end(), split.validation.begin(), split.validation.end());
    std::sort(all.begin(), all.end());
    std::vector<std::uint32_t> expected(103);
    std::iota(expected.begin(), expected.end(), 0u);
    CHECK(all == expected);
    CHECK(split_rows(103, 0.1, 7).validation == split.validation);
    CHECK(split_rows(103, 0.1, 8).validation != split.validation);
    CHECK(split_rows(3, 0.01, 0).validation.size() == 1);
    CHECK(split_rows(3, 1, 0).train.size() == 1);
    CHECK(split_rows(3, 0, 0).validation.empty());
    CHECK(split_rows(1, 0.5, 0).train.size() == 1);
  }

  TEST_CASE("an epoch's order is a permutation of its own") {
    std::vector<std::uint32_t> order = epoch_order(1000, 1, 0);
    CHECK(order == epoch_order(1000, 1, 0));
    CHECK(order != epoch_order(1000, 1, 1));
    CHECK(order != epoch_order(1000, 2, 0));
    std::sort(order.begin(), order.end());
    for (std::uint32_t i = 0; i < 1000; ++i) REQUIRE(order[i] == i);
    CHECK(epoch_order(0, 0, 0).empty());
  }
}

TEST_SUITE("data/builtin") {
  TEST_CASE("built-in sets are the same every time") {
    for (const char* name : {"builtin:digits", "builtin:spirals", "builtin:regression"}) {
      CAPTURE(name);
      const DataPair pair = read_train(name, {});
      REQUIRE(pair.test.has_value());
      const Preprocessor p = Preprocessor::fit(pair.train, {});
      const Examples a = p.apply(pair.train, true);
      const Examples b = p.apply(read_train(name, {}).train, true);
      CHECK(a.x == b.x);
      CHECK(a.bytes == b.bytes);
      CHECK(a.labels == b.labels);
      CHECK(a.targets == b.targets);
      CHECK(p.apply(*pair.test, true).rows == pair.test->rows());
      CHECK(p.notes().empty());
    }
    CHECK(Preprocessor::fit(read_data("builtin:digits", {}), {}).classes().size() == 10);
    const Thrown unknown = thrown_by([] { read_train("builtin:moons", {}); });
    CHECK(unknown.status == Status::invalid_argument);
    CHECK(unknown.says("builtin:spirals"));
  }
}

TEST_SUITE("data/formats") {
  TEST_CASE("unknown endings list the known ones, missing files are io") {
    const TempFolder folder;
    const Thrown unknown = thrown_by([&] { read_data(folder.write("a.xlsx", "x"), {}); });
    CHECK(unknown.status == Status::unsupported);
    CHECK(unknown.says(".csv"));
    CHECK(thrown_by([&] { read_data(folder.path("none.xlsx"), {}); }).status == Status::io);
    CHECK(thrown_by([&] { read_data(folder.path("none.csv"), {}); }).status == Status::io);
  }

  TEST_CASE("another test set, rows taken out") {
    const TempFolder folder;
    Options options;
    options.test = folder.write("b.csv", "x,t\n5,a\n");
    const DataPair pair = read_train(folder.write("a.csv", "x,t\n1,a\n2,b\n3,a\n"), options);
    CHECK_FALSE(pair.test.has_value());
    const RawData test = read_test(options, Preprocessor::fit(pair.train, options).recipe());
    CHECK(test.rows() == 1);
    CHECK(test.table()->columns[0].numbers == std::vector<double>{5});
    const std::vector<std::uint32_t> rows = {2, 0};
    CHECK(take_rows(pair.train, rows).table()->columns[0].numbers == std::vector<double>{3, 1});
    const Examples e = Preprocessor::fit(pair.train, {}).apply(pair.train, true);
    CHECK(take_rows(e, rows).x == LargeVector<float>{e.x[2], e.x[0]});
    CHECK(take_rows(e, rows).labels == std::vector<std::int32_t>{0, 0});
  }
}

TEST_SUITE("data/real") {
  struct Expected {
    const char* path;
    const char* target;
    std::size_t rows, features, classes;
  };

  TEST_CASE("real tables read as their description says") {
    for (const Expected& set : {Expected{"iris/iris.csv", "", 150, 4, 3},
                                {"abalone/abalone.csv", "", 4177, 10, 0},
                                {"wine-quality/winequality-red.csv", "", 1599, 11, 6},
                                {"wine-quality/winequality-white.csv", "", 4898, 11, 7},
                                {"breast-cancer-wdbc/wisc_bc_data.csv", "diagnosis", 569, 31, 2},
                                {"california-housing/housing.csv", "median_house_value", 20640, 13, 0},
                                {"sonar/sonar.csv", "", 208, 60, 2},
                                {"ionosphere/ionosphere.csv", "", 351, 34, 2},
                                {"banknote/banknote_authentication.csv", "", 1372, 4, 2},
                                {"concrete/concrete.csv", "", 1030, 8, 0}}) {
      const std::string path = real_data(set.path);
      if (path.empty()) continue;
      CAPTURE(path);
      Options options;
      options.target = set.target;
      const RawData raw = read_data(path, options);
      const Preprocessor p = Preprocessor::fit(raw, options);
      CHECK(raw.rows() == set.rows);
      CHECK(p.features() == set.features);
      CHECK(p.classes().size() == set.classes);
      CHECK(p.apply(raw, true).rows == set.rows);
    }
  }

#if HS_HAVE_ZLIB
  TEST_CASE("adult: missing values, and test labels with a full stop") {
    const std::string path = real_data("adult/adult-train.csv.gz");
    if (path.empty()) return;
    Options options;
    options.test = real_data("adult/adult-test.csv.gz");
    const DataPair pair = read_train(path, options);
    const Preprocessor p = Preprocessor::fit(pair.train, options);
    CHECK(p.classes() == std::vector<std::string>{"<=50K", ">50K"});
    const Examples test = p.apply(read_test(options, p.recipe()), true);
    CHECK(test.rows == 16281);
    CHECK(std::count(test.labels.begin(), test.labels.end(), 1) == 3846);
  }

  TEST_CASE("the folders of MNIST and Fashion-MNIST") {
    for (const char* name : {"mnist", "fashion-mnist"}) {
      const std::string path = real_data(name);
      if (path.empty()) continue;
      const DataPair pair = read_train(path, {});
      REQUIRE(pair.test.has_value());
      CHECK(pair.train.rows() == 60000);
      CHECK(pair.test->rows() == 10000);
      CHECK(Preprocessor::fit(pair.train, {}).classes().size() == 10);
    }
  }
#endif
}
