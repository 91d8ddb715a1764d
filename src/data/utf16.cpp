#include "data/utf16.hpp"

#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

bool is_high(std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low(std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; }

void append(std::uint32_t character, Bytes& out) {
  const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | (character >> shift & 0x3f))); };
  if (character < 0x80) {
    out.push_back(static_cast<char>(character));
  } else if (character < 0x800) {
    out.push_back(static_cast<char>(0xc0 | character >> 6));
    tail(0);
  } else if (character < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | character >> 12));
    tail(6), tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | character >> 18));
    tail(12), tail(6), tail(0);
  }
}

class Decoder {
 public:
  Decoder(const Source& source, std::uint64_t max_bytes)
      : name_(source.name),
        text_(source.text().substr(2)),
        high_(source.text()[0] == '\xfe' ? 0 : 1),
        max_bytes_(max_bytes) {}

  Bytes decode() {
    Bytes out;
    out.reserve(text_.size() / 2 + 1);  // most of a table is ASCII
    for (std::size_t at = 0; at < text_.size(); at += 2) {
      std::uint32_t character = unit(at);
      if (is_low(character)) fail_here("the second half of a character without the first");
      if (is_high(character)) {
        at += 2;
        const std::uint32_t second = at < text_.size() ? unit(at) : 0;
        if (!is_low(second)) fail_here("the first half of a character without the second");
        character = 0x10000 + ((character - 0xd800) << 10) + (second - 0xdc00);
      }
      append(character, out);
      if (out.size() > max_bytes_) {
        fail(Status::limit, "input is too large", name_, "more than " + std::to_string(max_bytes_) + " bytes as UTF-8");
      }
      // LF, CRLF and CR each end a line.
      if (character == '\r' || (character == '\n' && last_ != '\r')) ++line_;
      last_ = character;
    }
    return out;
  }

 private:
  std::uint32_t unit(std::size_t at) const {
    if (at + 1 == text_.size()) fail_here("half of a unit of two bytes: the file is cut off");
    const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(text_[at + i])}; };
    return byte(high_) << 8 | byte(1 - high_);
  }

  [[noreturn]] void fail_here(const std::string& why) const {
    fail(Status::format, "damaged UTF-16", name_ + ", line " + std::to_string(line_), why,
         "save the file again, as UTF-8");
  }

  const std::string& name_;
  std::string_view text_;
  std::size_t high_;  // place of a unit's high byte
  std::uint64_t max_bytes_;
  std::size_t line_ = 1;
  std::uint32_t last_ = 0;
};

}  // namespace

bool is_utf16(std::string_view bytes) { return bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff"); }

Source utf8_of_utf16(const Source& source, std::uint64_t max_bytes) {
  return {source.name, Decoder(source, max_bytes).decode()};
}

}  // namespace halfstep::internal::data
