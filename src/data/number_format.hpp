// Numbers as people write them: grouped digits, a decimal comma, currency and per cent signs, units.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace halfstep::internal::data {

enum class DecimalSign { point, comma };

// How the numbers of one column are written. "$1,234.50" has the unit "$", "12,5 kg" the unit "kg".
struct NumberFormat {
  DecimalSign decimal = DecimalSign::point;
  std::string unit;
};

// One number taken apart; nothing when the text is no number with this decimal sign. Digits are grouped in threes
// (the Indian way, 12,34,567, too) by comma or point, whichever is not the decimal sign, blank, no-break or thin
// space, or apostrophe. "(5.00)", "5-" and "-$5" are negative. A unit is a currency sign or code before or after, or up
// to 12 bytes without digits behind. Overflow gives nothing.
struct WrittenNumber {
  double value = 0;
  std::string_view unit;
};
std::optional<WrittenNumber> read_written_number(std::string_view text, DecimalSign decimal);

// The format in which the most of `texts` are numbers with one unit. `decided` where the decimal sign does not depend
// on `otherwise`, which is taken for "1,234" and the like.
struct FormatChoice {
  NumberFormat format;
  bool decided = true;
  bool grouped_or_comma = false;  // some text has a comma, or points that group
};
FormatChoice choose_format(std::span<const std::string> texts, DecimalSign otherwise);

// Whether the unit says a quantity by itself: a currency or per cent sign.
bool is_quantity_sign(std::string_view unit);

std::string_view trim_blanks(std::string_view text);

}  // namespace halfstep::internal::data
