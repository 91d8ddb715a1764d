#include "data/differences.hpp"

#include <algorithm>

#include "data/text.hpp"
#include "halfstep/text.hpp"

namespace halfstep::internal::data {

void note(Notes notes, std::string text) {
  if (notes) notes->push_back(std::move(text));
}

std::string count_text(std::size_t count, const std::string& one) {
  return std::to_string(count) + " " + one + (count == 1 ? "" : "s");
}

void Differences::tell(Notes notes) const {
  const auto say = [&](const std::vector<std::string>& items, const std::string& what) {
    constexpr std::size_t kMost = 8;
    std::string text;
    for (std::size_t i = 0; i < std::min(kMost, items.size()); ++i) text += (i ? "; " : "") + items[i];
    if (items.size() > kMost) text += " and " + count_text(items.size() - kMost, "more column");
    if (!items.empty()) note(notes, what + text);
  };
  say(unseen, "categories that training did not have, taken as none of its own: ");
  say(rare, "categories that training had no rows of, or too few to tell them apart, taken as one: ");
  say(no_times, "texts that are no times as those of training, taken as missing: ");
  say(missing, "missing values where training had none: ");
  say(beyond, "numbers beyond those of training: ");
  say(units, "units other than in training, left out alike: ");
}

void compare_numbers(const InputColumn& input, const Column& column, const std::vector<double>& numbers,
                     const std::vector<std::uint32_t>& rows, Differences& differences) {
  std::size_t missing = 0, beyond = 0;
  double worst = 0;
  for (const std::uint32_t row : rows) {
    const double x = numbers[row];
    if (x != x) {
      ++missing;
    } else if (x < input.low || x > input.high) {
      ++beyond;
      const auto excess = [&](double v) { return v < input.low ? input.low - v : v - input.high; };
      if (beyond == 1 || excess(x) > excess(worst)) worst = x;
    }
  }
  const std::string name = excerpt(input.title());
  const int digits = input.time == TimePart::year ? 8 : 5;  // to the hour
  if (missing > 0 && !input.missing_seen) differences.missing.push_back(name + " " + count_text(missing, "row"));
  if (beyond > 0 && input.low <= input.high) {
    differences.beyond.push_back(name + " " + count_text(beyond, "row") + ", up to " + short_number(worst, digits) +
                                 " (" + short_number(input.low, digits) + " to " + short_number(input.high, digits) +
                                 ")");
  }
  if (column.unit != input.unit) {
    differences.units.push_back(name + " " + (column.unit.empty() ? "none" : excerpt(column.unit)) + ", in training " +
                                (input.unit.empty() ? "none" : excerpt(input.unit)));
  }
}

}  // namespace halfstep::internal::data
