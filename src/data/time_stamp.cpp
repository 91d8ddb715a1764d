#include "data/time_stamp.hpp"

#include <algorithm>
#include <chrono>

#include "data/number_format.hpp"
#include "data/text.hpp"

namespace halfstep::internal::data {
namespace {

constexpr DateOrder kOrders[] = {DateOrder::ymd, DateOrder::dmy, DateOrder::mdy, DateOrder::none};
constexpr TimePart kParts[] = {TimePart::year, TimePart::month, TimePart::day, TimePart::weekday, TimePart::hour};

// The front of a text, taken bit by bit.
class Front {
 public:
  explicit Front(std::string_view text) : rest_(text) {}

  bool empty() const { return rest_.empty(); }
  bool take(std::string_view sign) {
    if (!rest_.starts_with(sign)) return false;
    rest_.remove_prefix(sign.size());
    return true;
  }
  bool take_blanks() {
    const std::size_t before = rest_.size();
    while (take(" ")) {
    }
    return rest_.size() < before;
  }
  // Of `least` to `most` digits.
  std::optional<int> number(std::size_t least, std::size_t most) {
    std::size_t digits = 0;
    int value = 0;
    while (digits < std::min(most, rest_.size()) && is_digit(rest_[digits]))
      value = value * 10 + (rest_[digits++] - '0');
    if (digits < least) return {};
    rest_.remove_prefix(digits);
    return value;
  }
  // What stands between the numbers of a date.
  char separator() {
    if (rest_.empty() || (rest_[0] != '-' && rest_[0] != '/' && rest_[0] != '.')) return 0;
    const char sign = rest_[0];
    rest_.remove_prefix(1);
    return sign;
  }

 private:
  std::string_view rest_;
};

bool read_date(Front& front, DateOrder order, TimeStamp& out) {
  const bool year_first = order == DateOrder::ymd;
  const auto first = year_first ? front.number(4, 4) : front.number(1, 2);
  const char sign = front.separator();
  const auto second = front.number(1, 2);
  const bool same = sign != 0 && front.separator() == sign;
  const auto third = year_first ? front.number(1, 2) : front.number(4, 4);
  if (!first || !second || !third || !same) return false;
  out.year = year_first ? *first : *third;
  out.month = order == DateOrder::dmy || year_first ? *second : *first;
  out.day = year_first ? *third : order == DateOrder::dmy ? *first : *second;
  using namespace std::chrono;
  return out.year > 0 &&
         year_month_day{year{out.year}, month{static_cast<unsigned>(out.month)}, day{static_cast<unsigned>(out.day)}}
             .ok();
}

// Hours and minutes, then perhaps seconds and their fraction, AM or PM, and the offset from UTC.
bool read_clock(Front& front, TimeStamp& out) {
  auto hours = front.number(1, 2);
  if (!hours || !front.take(":")) return false;
  const auto minutes = front.number(2, 2);
  if (!minutes || *minutes > 59) return false;
  double seconds = 0;
  if (front.take(":")) {
    const auto whole = front.number(2, 2);
    if (!whole || *whole > 60) return false;  // 60 is a leap second
    seconds = *whole;
    if (front.take(".") || front.take(",")) {
      double unit = 1;
      std::size_t digits = 0;
      for (auto digit = front.number(1, 1); digit; digit = front.number(1, 1), ++digits)
        seconds += *digit * (unit /= 10);
      if (digits == 0) return false;
    }
  }
  front.take_blanks();
  const bool pm = front.take("PM") || front.take("pm"), am = !pm && (front.take("AM") || front.take("am"));
  if (pm || am) {
    if (*hours < 1 || *hours > 12) return false;
    hours = *hours % 12 + (pm ? 12 : 0);
    front.take_blanks();
  }
  if (*hours > 23) return false;
  out.hour = *hours + *minutes / 60.0 + seconds / 3600.0;
  if (front.take("Z") || front.take("UTC") || front.take("GMT")) return true;
  if (!front.take("+") && !front.take("-")) return true;
  const auto offset = front.number(2, 2);
  if (!offset || *offset > 15) return false;
  if (front.empty()) return true;
  front.take(":");
  const auto rest = front.number(2, 2);
  return rest && *rest < 60;
}

double days_before(const TimeStamp& time) {
  using namespace std::chrono;
  const year_month_day date{year{time.year}, month{static_cast<unsigned>(time.month)},
                            day{static_cast<unsigned>(time.day)}};
  return static_cast<double>((sys_days{date} - sys_days{year{time.year} / January / 1}).count());
}

double days_of_month(const TimeStamp& time) {
  using namespace std::chrono;
  const year_month_day_last last{year{time.year}, month_day_last{month{static_cast<unsigned>(time.month)}}};
  return static_cast<double>(static_cast<unsigned>(last.day()));
}

// Those of the texts that the rows have.
std::vector<std::string> texts_of(const Column& column, const std::vector<std::uint32_t>& rows) {
  std::vector<bool> used(column.values.size());
  for (const std::uint32_t row : rows) {
    if (column.codes[row] != kMissingCode) used[column.codes[row]] = true;
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) texts.push_back(column.values[i]);
  }
  return texts;
}

std::size_t count_times(const std::vector<std::string>& texts, DateOrder order) {
  return static_cast<std::size_t>(std::count_if(
      texts.begin(), texts.end(), [&](const std::string& text) { return read_time(text, order).has_value(); }));
}

}  // namespace

std::optional<TimeStamp> read_time(std::string_view text, DateOrder order) {
  Front front(trim_blanks(text));
  TimeStamp out;
  if (order != DateOrder::none) {
    if (!read_date(front, order, out)) return {};
    if (front.empty()) return out;
    if (!front.take("T") && !front.take_blanks()) return {};
  }
  if (!read_clock(front, out) || !front.empty()) return {};
  return out;
}

double number_of(const TimeStamp& time, TimePart part) {
  using namespace std::chrono;
  const double of_day = time.hour / 24;
  switch (part) {
    case TimePart::none:
      break;
    case TimePart::year:
      return time.year + (days_before(time) + of_day) / (year{time.year}.is_leap() ? 366 : 365);
    case TimePart::month:
      return time.month + (time.day - 1 + of_day) / days_of_month(time);
    case TimePart::day:
      return time.day;
    case TimePart::weekday:
      return static_cast<double>(weekday{sys_days{year{time.year} / time.month / time.day}}.iso_encoding());
    case TimePart::hour:
      return time.hour;
  }
  return kNaN;
}

std::optional<TimeColumn> find_times(const Column& column, const std::vector<std::uint32_t>& rows, std::string& odd) {
  odd.clear();
  const std::vector<std::string> texts = texts_of(column, rows);
  if (texts.empty()) return {};
  // By all texts of the file: one day beyond the 12th tells for all.
  TimeColumn out;
  std::size_t found = 0;
  for (const DateOrder order : kOrders) {
    const std::size_t count = count_times(column.values, order);
    if (order == DateOrder::mdy) out.ambiguous = count > 0 && count == found;
    if (count <= found) continue;
    found = count;
    out.order = order;
  }
  // Between points days stand first. Between slashes they do in most of the world, and in most files months do.
  if (texts.front().find('.') != std::string::npos) out.ambiguous = false;
  if (out.ambiguous && texts.front().find('/') != std::string::npos) out.order = DateOrder::mdy;
  std::vector<TimeStamp> times;
  for (const std::string& text : texts) {
    if (const auto time = read_time(text, out.order)) {
      times.push_back(*time);
    } else {
      odd = text;
    }
  }
  if (times.size() < texts.size()) {
    if (10 * times.size() < 9 * texts.size()) odd.clear();
    return {};
  }
  for (const TimePart part : kParts) {
    if (out.order == DateOrder::none && part != TimePart::hour) continue;
    const bool differs = std::any_of(times.begin(), times.end(), [&](const TimeStamp& time) {
      return number_of(time, part) != number_of(times.front(), part);
    });
    if (differs) out.parts.push_back(part);
  }
  if (out.parts.empty()) return {};
  return out;
}

TimeNumbers::TimeNumbers(const Column& column, DateOrder order) : categories_(as_categories(column)) {
  for (const std::string& text : categories_.texts) {
    times_.push_back(read_time(text, order));
    if (!times_.back()) no_times_.push_back(text);
  }
}

bool TimeNumbers::is_none(std::uint32_t row) const {
  const std::uint32_t code = categories_.codes[row];
  return code != kMissingCode && !times_[code];
}

std::vector<double> TimeNumbers::of(TimePart part) const {
  std::vector<double> of_text, out;
  for (const std::optional<TimeStamp>& time : times_) of_text.push_back(time ? number_of(*time, part) : kNaN);
  out.reserve(categories_.codes.size());
  for (const std::uint32_t code : categories_.codes) out.push_back(code == kMissingCode ? kNaN : of_text[code]);
  return out;
}

}  // namespace halfstep::internal::data
