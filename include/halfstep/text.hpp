// Small text tools that the library and its command line share.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace halfstep {

// One line that no terminal can take for commands: control characters, ends of lines too, as \n, \x1b or \u009b, and
// bytes that are no UTF-8 as \xff.
std::string printable(std::string_view text);

// The shortest text that reads back as the same number, in every locale; "nan" whatever its sign, "inf", "-inf".
std::string number_text(double number);
// The same of an fp32 number, which needs fewer digits.
std::string number_text(float number);

// So many significant digits, for people.
std::string short_number(double number, int digits = 5);

// JSON text of a string, with its quotes.
std::string json_text(std::string_view text);
// JSON text of a number; those that JSON has not become the strings "nan", "inf" and "-inf".
std::string json_text(double number);

// The candidate a typo was probably meant to be; empty when none is near.
std::string_view nearest_name(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace halfstep
