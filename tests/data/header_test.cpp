#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

TEST_SUITE("data/header") {
  TEST_CASE("numbers can be names") {
    for (const char* text : {"0,1,2,target\n0.5,1.5,0.1,1\n1.5,0.5,0.2,0\n",  // as pandas writes
                             "2019,2020,2021,grew\n.5,.5,.1,yes\n1.5,.5,.2,no\n.5,.25,.3,yes\n1,2,3.5,no\n",
                             "2019,2021,2022,target\n.5,.5,.1,1\n1.5,.5,.2,0\n",
                             "0,1,2,3\n0.5,1,2,1\n0.25,2,1,0\n",     // nothing but numbers, from 0 on
                             "1,2,3,4\n0.5,1,2,1\n0.25,2,1,0\n",     // or from 1
                             "0,1,2\n1,0,1\n0,1,0\n1,1,1\n0,0,1\n",  // 2 is found nowhere else
                             ",0,1,target\n0,.5,1,1\n1,.25,3,0\n"}) {
      CAPTURE(text);
      const Table table = table_of(text);
      CHECK(table.has_header);
    }
    const Table table = table_of("0,1,2,target\n0.5,1.5,0.1,1\n1.5,0.5,0.2,0\n");
    CHECK(table.columns[3].name == "target");
    CHECK(table.rows == 2);
    REQUIRE(table.remarks.size() == 1);
    CHECK(table.remarks[0].find("--header no") != std::string::npos);
  }

  TEST_CASE("a row of numbers is no header") {
    for (const char* text :
         {"1,2,3\n4,5,6\n", "0,1\n1,0\n0,0\n", "5.1,3.5,1.4,setosa\n4.9,3,1.4,setosa\n7,3.2,4.7,virginica\n",
          "1,2,?\n3,4,5\n", "0,1,0\n0,1,1\n1,1,0\n"}) {
      CAPTURE(text);
      CHECK_FALSE(table_of(text).has_header);
    }
  }

  TEST_CASE("a second column of the same name gets a name of its own, and a remark") {
    const Table table = table_of("a,a,b,a\n1,2,3,4\n");
    CHECK(table.columns[1].name == "a.1");
    CHECK(table.columns[3].name == "a.2");
    REQUIRE(table.remarks.size() == 2);
    CHECK(table.remarks[0].find("'a.1'") != std::string::npos);
    CHECK(table_of("a,a.1,a\n1,2,3\n").columns[2].name == "a.2");
  }
}
