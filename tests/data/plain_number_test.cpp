#include "data/plain_number.hpp"

#include <bit>
#include <random>

#include "data/column_kind.hpp"
#include "data/few_numbers.hpp"
#include "data/text.hpp"
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;

namespace {

// With what follows it, and room behind.
bool read(std::string text, PlainNumber& number) {
  text += std::string(kPlainNumberRoom, ',');
  return read_plain_number(text.data(), number);
}

std::string digits(std::mt19937& random, std::size_t most) {
  std::string text;
  for (std::size_t n = random() % (most + 1); n > 0; --n) text += static_cast<char>('0' + random() % 10);
  if (random() % 4 == 0) text.insert(0, random() % 3, '0');
  return text;
}

}  // namespace

TEST_SUITE("data/plain_number") {
  TEST_CASE("the same bits as from_chars, the same idea of a name, and the end of the number") {
    std::mt19937 random(1);
    std::size_t taken = 0;
    for (int i = 0; i < 200000; ++i) {
      std::string text = random() % 2 ? "-" : "";
      text += digits(random, random() % 4 == 0 ? 20 : 6);
      if (random() % 3 > 0) text += "." + digits(random, random() % 4 == 0 ? 20 : 8);
      PlainNumber number;
      if (!read(text, number)) continue;
      ++taken;
      CAPTURE(text);
      double expected = 0;
      REQUIRE(parse_number(text, expected) == CellKind::number);
      REQUIRE(std::bit_cast<std::uint64_t>(number.value) == std::bit_cast<std::uint64_t>(expected));
      REQUIRE(number.length == text.size());
      REQUIRE(number.has_point == (text.find('.') != std::string::npos));
      REQUIRE(number.identifier == is_identifier(text));
    }
    CHECK(taken > 100000);
  }

  TEST_CASE("what is another matter is left alone, and what follows a number is not looked at") {
    PlainNumber number;
    for (const std::string text : {"", "-", ".5", "5.", "+1", "-.5", "x", "1234567890123456", "9007199254740993",
                                   "0.123456789012345678901234567890123456789"}) {
      CAPTURE(text);
      CHECK_FALSE(read(text, number));
    }
    CHECK((read("-0", number) && std::signbit(number.value)));
    CHECK((read("900719925474.0992", number) && number.value == 900719925474.0992));
    for (const std::string text :
         {"12e5", "12x", "12 ", "12\n", "12\xff\xff\xff\xff\xff\xff\xff", "12:3456789", "12/3"}) {
      CAPTURE(text);
      CHECK((read(text, number) && number.length == 2 && number.value == 12));
    }
  }

  TEST_CASE("few numbers are counted whatever the order, zeros of both signs as one") {
    FewNumbers a, b, all;
    for (int i = 0; i < 15; ++i) {
      a.add(i), b.add(10 - i);
      all.add(i), all.add(10 - i);
    }
    a.add(-0.0);
    CHECK_FALSE(a.many());
    a.add(b);
    CHECK_FALSE(a.many());  // -4 to 14
    CHECK_FALSE(all.many());
    a.add(1e-310), a.add(2e-310);
    CHECK(a.many());
  }
}
