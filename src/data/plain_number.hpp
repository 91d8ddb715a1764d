// Numbers as tables mostly have them: digits, a sign before, a point among them. Read without looking at a digit twice.
#pragma once
#include <array>
#include <bit>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace halfstep::internal::data {

struct PlainNumber {
  double value = 0;
  std::size_t length = 0;  // in bytes, with blanks before it
  bool has_point = false;
  bool identifier = false;  // as is_identifier says
};

// Bytes that must be readable from the first byte of a plain number on.
constexpr std::size_t kPlainNumberRoom = 64;

namespace detail {

// Up to eight digits at `text`: how many, and their value.
struct Digits {
  std::size_t count;
  std::uint64_t value;
};

inline Digits eight_digits(const char* text) {
  if constexpr (std::endian::native == std::endian::little) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text, sizeof(bytes));
    bytes ^= 0x3030303030303030u;  // a digit is now its value
    const std::uint64_t others = ((bytes + 0x7676767676767676u) | bytes) & 0x8080808080808080u;
    const std::size_t count = others == 0 ? 8 : static_cast<std::size_t>(std::countr_zero(others)) / 8;
    if (count == 0) return {0, 0};
    bytes <<= 8 * (8 - count);  // zeros in front
    bytes = bytes * 10 + (bytes >> 8);
    constexpr std::uint64_t kPairs = 0x000000ff000000ffu;
    const std::uint64_t value = (bytes & kPairs) * (100 + (std::uint64_t{1000000} << 32)) +
                                ((bytes >> 16) & kPairs) * (1 + (std::uint64_t{10000} << 32));
    return {count, value >> 32};
  } else {
    Digits digits{0, 0};
    for (; digits.count < 8 && text[digits.count] >= '0' && text[digits.count] <= '9'; ++digits.count) {
      digits.value = digits.value * 10 + static_cast<std::uint64_t>(text[digits.count] - '0');
    }
    return digits;
  }
}

constexpr std::array<std::uint64_t, 9> kWholePowers = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
constexpr std::array<double, 17> kPowers = {1e0, 1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7, 1e8,
                                            1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16};

// Appends up to 16 digits to those of `value`, and gives how many.
inline std::size_t append_digits(const char* text, std::uint64_t& value) {
  const Digits first = eight_digits(text);
  value = value * kWholePowers[first.count] + first.value;
  if (first.count < 8) return first.count;
  const Digits second = eight_digits(text + 8);
  value = value * kWholePowers[second.count] + second.value;
  return 8 + second.count;
}

// The number at `text` that has a point and more digits than fit 53 bits, but still room behind.
inline bool read_long_number(const char* text, const char* at, PlainNumber& number) {
  const char* const last = text + kPlainNumberRoom / 2;
  while (at < last && *at >= '0' && *at <= '9') ++at;
  if (at >= last) return false;
  const bool negative = *text == '-';
  double magnitude = 0;
  const auto result = std::from_chars(text + (negative ? 1 : 0), at, magnitude);
  if (result.ptr != at || result.ec != std::errc()) return false;
  number.value = negative ? -magnitude : magnitude;
  number.length = static_cast<std::size_t>(at - text);
  return true;
}

}  // namespace detail

// The number at `text`, of which kPlainNumberRoom bytes can be read; false where none stands there, or one of another
// kind. A quotient of two numbers that doubles hold exactly is rounded once (Clinger 1990): as exact as any other way.
// What follows the number is for the caller to look at.
inline bool read_plain_number(const char* text, PlainNumber& number) {
  constexpr std::uint64_t kExact = std::uint64_t{1} << 53;
  constexpr std::size_t kMostDigits = 19;  // that 64 bits hold
  const char* at = text;
  const bool negative = *at == '-';
  at += negative ? 1 : 0;
  std::uint64_t digits = 0;
  const std::size_t whole = detail::append_digits(at, digits);
  if (whole == 0 || whole > 15) return false;
  number.identifier = *at == '0' && whole > 1;
  at += whole;
  number.has_point = *at == '.';
  double value = 0;
  if (number.has_point) {
    number.identifier = false;
    const std::size_t places = detail::append_digits(++at, digits);
    if (places == 0) return false;
    at += places;
    const bool exact = places <= 15 && whole + places <= kMostDigits && digits <= kExact;
    if (!exact) return detail::read_long_number(text, at, number);
    value = static_cast<double>(digits) / detail::kPowers[places];
  } else {
    value = static_cast<double>(digits);
  }
  number.value = negative ? -value : value;
  number.length = static_cast<std::size_t>(at - text);
  return true;
}

}  // namespace halfstep::internal::data
