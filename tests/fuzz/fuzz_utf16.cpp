// UTF-16: what is read can be written again as it was.
#include "data/utf16.hpp"

#include "fuzz/support.hpp"
#include "text/utf8.hpp"

using namespace halfstep;
using namespace halfstep::internal;

namespace {

std::uint32_t first_character(std::string_view text, std::size_t length) {
  const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(text[i])}; };
  std::uint32_t character = length == 1 ? byte(0) : byte(0) & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) character = character << 6 | (byte(i) & 0x3f);
  return character;
}

std::string encoded(std::string_view text, bool big_endian) {
  std::string out;
  const auto add = [&](std::uint32_t unit) {
    const char high = static_cast<char>(unit >> 8 & 0xff), low = static_cast<char>(unit & 0xff);
    out += big_endian ? high : low;
    out += big_endian ? low : high;
  };
  add(0xfeff);
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    fuzz::require(length > 0, "what was decoded is UTF-8");
    const std::uint32_t character = first_character(text, length);
    if (character < 0x10000) {
      add(character);
    } else {
      add(0xd800 + ((character - 0x10000) >> 10));
      add(0xdc00 + ((character - 0x10000) & 0x3ff));
    }
    text.remove_prefix(length);
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const data::Source source = fuzz::source_of(fuzz::as_text(bytes, size));
  if (!data::is_utf16(source.text())) return 0;
  data::Source decoded;
  if (!fuzz::succeeds([&] { decoded = data::utf8_of_utf16(source); })) return 0;
  const bool big_endian = source.text()[0] == '\xfe';
  fuzz::require(encoded(decoded.text(), big_endian) == source.text(), "decoding and encoding changes nothing");
  return 0;
}
