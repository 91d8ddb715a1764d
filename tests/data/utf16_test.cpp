#include "data/utf16.hpp"

#include "data/data.hpp"
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

// With a byte order mark in front.
std::string utf16(std::u16string_view text, bool big_endian) {
  std::string out;
  for (const char16_t unit : std::u16string(1, 0xfeff) + std::u16string(text)) {
    const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xff);
    out += big_endian ? high : low;
    out += big_endian ? low : high;
  }
  return out;
}

std::string decoded(const std::string& bytes, std::uint64_t most = 1000) {
  return std::string(utf8_of_utf16(testing::source_of(bytes), most).text());
}

}  // namespace

TEST_SUITE("data/utf16") {
  TEST_CASE("each length of a character, in both byte orders") {
    for (const bool big : {false, true}) {
      CAPTURE(big);
      const std::string bytes = utf16(u"a\u007f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff", big);
      CHECK(is_utf16(bytes));
      CHECK(decoded(bytes) == "a\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
      CHECK(decoded(utf16(u"", big)).empty());
    }
    CHECK_FALSE(is_utf16("\xff"));
    CHECK_FALSE(is_utf16("\xef\xbb\xbf"));
  }

  TEST_CASE("half a character or half a unit is an error with its line") {
    for (const std::u16string& half : {std::u16string(1, 0xd83d), std::u16string(1, 0xde00),
                                       std::u16string{0xd83d, 0xd83d}, std::u16string{0xd83d, 'x'}}) {
      for (const bool big : {false, true}) {
        const Thrown thrown = thrown_by([&] { decoded(utf16(u"a\r\nb\rc\n" + half, big)); });
        CHECK(thrown.status == Status::format);
        CHECK(thrown.says("line 4"));
      }
    }
    CHECK(thrown_by([] { decoded(utf16(u"a\nb", false) + "c"); }).says("line 2"));
    CHECK(thrown_by([] { decoded(utf16(u"\u0800\u0800", false), 5); }).status == Status::limit);
  }

  TEST_CASE("tables and LIBSVM in it are read, and told") {
    const TempFolder folder;
    for (const bool big : {false, true}) {
      const RawData table =
          read_data(folder.write("a.csv", utf16(u"gr\u00f6\u00dfe;y\r\n1,5;a\r\n2,5;b\r\n", big)), {});
      CHECK(table.table()->columns.at(0).name ==
            "gr\xc3\xb6\xc3\x9f"
            "e");
      CHECK(table.table()->columns.at(0).numbers == std::vector<double>{1.5, 2.5});
      REQUIRE(table.remarks.size() == 1);
      CHECK(table.remarks[0].find("UTF-16") != std::string::npos);
      CHECK(read_data(folder.write("a.svm", utf16(u"1 1:2\n2 2:1\n", big)), {}).rows() == 2);
    }
    CHECK(thrown_by([&] { read_data(folder.write("a.npy", utf16(u"a,b\n", false)), {}); }).says("NPY"));
  }
}
