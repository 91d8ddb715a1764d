// Numbers as text.
#include <charconv>
#include <cmath>

#include "halfstep/text.hpp"

namespace halfstep {
namespace {

template <class T, class... Format>
std::string written(T number, Format... format) {
  if (std::isnan(number)) return "nan";
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, number, format...).ptr};
}

}  // namespace

std::string number_text(double number) { return written(number); }
std::string number_text(float number) { return written(number); }

std::string short_number(double number, int digits) { return written(number, std::chars_format::general, digits); }

}  // namespace halfstep
