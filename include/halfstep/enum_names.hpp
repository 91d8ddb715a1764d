// The names of enumerators, as files, flags and reports spell them: one table per enumeration.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace halfstep {

// The table of E: the name of each enumerator in the order of their values, which count from 0. Each enumeration that
// has names specialises it beside its definition.
template <class E>
inline constexpr std::array<std::string_view, 0> kEnumNames{};

// Enumerations that have a table.
template <class E>
concept Named = !kEnumNames<E>.empty();

// Empty where the value is no enumerator.
template <Named E>
constexpr std::string_view name(E value) {
  const auto i = static_cast<std::size_t>(value);
  return i < kEnumNames<E>.size() ? kEnumNames<E>[i] : std::string_view();
}

// The enumerator of that name; nothing where there is none.
template <Named E>
constexpr std::optional<E> from_name(std::string_view text) {
  for (std::size_t i = 0; i < kEnumNames<E>.size(); ++i) {
    if (kEnumNames<E>[i] == text) return static_cast<E>(i);
  }
  return std::nullopt;
}

// The text of all_names().
template <Named E>
inline constexpr auto kJoinedNames = [] {
  constexpr std::size_t length = [] {
    std::size_t sum = kEnumNames<E>.size() - 1;
    for (const std::string_view name : kEnumNames<E>) sum += name.size();
    return sum;
  }();
  std::array<char, length> text{};
  std::size_t at = 0;
  for (const std::string_view name : kEnumNames<E>) {
    if (at > 0) text[at++] = '|';
    for (const char c : name) text[at++] = c;
  }
  return text;
}();

// "a|b|c": all names of E.
template <Named E>
constexpr std::string_view all_names() {
  return {kJoinedNames<E>.data(), kJoinedNames<E>.size()};
}

}  // namespace halfstep
