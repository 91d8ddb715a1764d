#include "fuzz/support.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace halfstep::fuzz {
namespace {

bool is_control(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const bool high = byte(at) == 0xC2 && byte(at + 1) >= 0x80 && byte(at + 1) < 0xA0;  // U+0080 to U+009F
  return byte(at) < 0x20 || byte(at) == 0x7F || high;
}

}  // namespace

void require(bool holds, std::string_view promise, std::string_view detail) {
  if (holds) return;
  std::fprintf(stderr, "BROKEN PROMISE: %.*s\n%.*s\n", static_cast<int>(promise.size()), promise.data(),
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

void check_error(const Error& error) {
  const std::string_view text = error.what();
  require(error.status() != Status::internal && error.status() != Status::ok, "no input is a bug in halfstep", text);
  require(!error.parts().what.empty(), "an error says what failed", text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    require(!is_control(text, i), "an error is one line without control characters", text);
  }
}

std::string_view cut_front(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return front;
}

const test::TempDir& scratch() {
  static const test::TempDir folder;
  return folder;
}

}  // namespace halfstep::fuzz
