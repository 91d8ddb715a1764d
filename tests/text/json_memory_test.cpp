// JSON values when memory runs out: an exception and nothing else, whichever allocation it is.
#include <doctest/doctest.h>

#include <new>

#include "support/failing_new.hpp"
#include "text/json.hpp"

namespace json = halfstep::internal::json;
using halfstep::test::FailingNew;

namespace {

const std::string kLong(40, 'x');  // longer than what a string holds in itself

json::Value sample() {
  return json::Object{
      {"a " + kLong, json::Array{1, 2.5, kLong, nullptr}},
      {"b " + kLong, json::Object{{"c " + kLong, kLong}, {"d", json::Array{kLong, json::Array{kLong}}}}}};
}

// Calls f with its first allocation failing, its second, and so on until none fails. How many did.
template <class F>
long fail_each(F f) {
  for (long n = 1;; ++n) {
    const FailingNew failing(n);
    try {
      f();
      return n - 1;
    } catch (const std::bad_alloc&) {
    }
  }
}

}  // namespace

TEST_CASE("json: a copy that finds no memory throws, and leaves what it was made from") {
  const json::Value value = sample();
  const std::string text = json::dump(value);
  CHECK(fail_each([&] { const json::Value copy = value; }) > 10);
  CHECK(fail_each([&] { const json::Array list(3, value); }) > 30);
  CHECK(fail_each([&] {
          const json::Object object{{"one " + kLong, value}, {"two " + kLong, json::Object{{kLong, value}}}};
        }) > 30);
  CHECK(json::dump(value) == text);
}

TEST_CASE("json: an assignment that finds no memory leaves what was there, of whatever type") {
  const json::Value value = sample();
  const json::Value befores[] = {nullptr, 1, kLong, json::Array{kLong, kLong}, json::Object{{"e " + kLong, kLong}}};
  for (const json::Value& before : befores) {
    json::Value target = before;
    CHECK(fail_each([&] {
            try {
              target = value;
            } catch (...) {
              if (json::dump(target) != json::dump(before)) target = "changed";
              throw;
            }
          }) > 10);
    CHECK(json::dump(target) == json::dump(value));
  }
}

TEST_CASE("json: a value can be assigned from its own inside") {
  json::Value value = json::Array{json::Array{kLong, 2}, 3};
  value = value.as_array()[0];
  CHECK(json::dump(value) == "[\"" + kLong + "\",2]");
}

TEST_CASE("json: parsing throws when memory runs out") {
  const std::string text = json::dump(sample());
  json::Value value;
  CHECK(fail_each([&] { value = json::parse(text); }) > 10);
  CHECK(json::dump(value) == text);
}

TEST_CASE("json: what is parsed is moved out of each level, not copied") {
  const auto allocations = [](const std::string& text) {
    const FailingNew counting(0);
    json::parse(text);
    return FailingNew::calls();
  };
  std::string list = "[0";
  for (int i = 0; i < 100; ++i) list += ",\"" + kLong + "\"";
  list += "]";
  const long flat = allocations(list);
  CHECK(allocations("[[[[[[[[" + list + "]]]]]]]]") <= flat + 8);
  CHECK(flat < 250);  // a string each and the growing array
}
