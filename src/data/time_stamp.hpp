// Dates and times of day in the texts of a column, and the numbers that a network learns from them.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/columns.hpp"
#include "halfstep/enum_names.hpp"

namespace halfstep::internal::data {

// How the texts of a column put a date.
enum class DateOrder : std::uint8_t { ymd, dmy, mdy, none };  // none: they are times of day alone

// A number of a time. `none` is of other columns.
enum class TimePart : std::uint8_t {
  none,
  year,     // with its fraction: 2011.5 is at noon of July 2
  month,    // 1 to below 13, with its fraction
  day,      // of the month, 1 to 31
  weekday,  // 1, Monday, to 7
  hour      // of the day, 0 to below 24, with its fraction
};

struct TimeStamp {
  int year = 0, month = 0, day = 0;  // 0 without a date
  double hour = 0;
};

// "2011-04-24", "2011/4/24 23:00", "2011-04-24T23:00:00.5+02:00", "24.04.2011", "4/24/2011 11:00 PM", "23:00": a year
// of four digits, by `order`, and a time of day behind it or not, or that alone. The clock is taken as it stands: an
// offset from UTC is read and left aside. Nothing where the text is anything else, or there is no such day.
std::optional<TimeStamp> read_time(std::string_view text, DateOrder order);

double number_of(const TimeStamp& time, TimePart part);

// A column of texts that are all times.
struct TimeColumn {
  DateOrder order = DateOrder::ymd;
  bool ambiguous = false;       // day and month could be the other way round
  std::vector<TimePart> parts;  // those that differ from row to row
};

// Nothing where some text of these rows is no time, or where all are the same; then with `odd`, where nearly all are
// times, a text that is none.
std::optional<TimeColumn> find_times(const Column& column, const std::vector<std::uint32_t>& rows, std::string& odd);

// The times of a column's rows, and what there is instead.
class TimeNumbers {
 public:
  TimeNumbers(const Column& column, DateOrder order);

  std::vector<double> of(TimePart part) const;  // of all rows, NaN where there is no time
  // Whether the row has a text that is no time; and all such texts.
  bool is_none(std::uint32_t row) const;
  const std::vector<std::string>& no_times() const { return no_times_; }

 private:
  Categories categories_;
  std::vector<std::optional<TimeStamp>> times_;  // of each text
  std::vector<std::string> no_times_;
};

}  // namespace halfstep::internal::data

namespace halfstep {
template <>
inline constexpr std::array<std::string_view, 4> kEnumNames<internal::data::DateOrder> = {"ymd", "dmy", "mdy", "none"};
template <>
inline constexpr std::array<std::string_view, 6> kEnumNames<internal::data::TimePart> = {"none", "year",    "month",
                                                                                         "day",  "weekday", "hour"};
}  // namespace halfstep
