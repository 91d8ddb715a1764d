// Columns of dates and times: which texts are some, what numbers they have by the C library's calendar, and that they
// travel with the model.
#include "data/time_stamp.hpp"

#include <algorithm>
#include <ctime>

#include "base/rng.hpp"
#include "data/transfer.hpp"
#include "data_helpers.hpp"

using namespace halfstep;
using namespace halfstep::internal;
using namespace halfstep::internal::data;
using namespace halfstep::internal::data::testing;

namespace {

constexpr TimePart kAllParts[] = {TimePart::year, TimePart::month, TimePart::day, TimePart::weekday, TimePart::hour};

bool is_time(std::string_view text, DateOrder order) { return read_time(text, order).has_value(); }

bool tells(const std::vector<std::string>& notes, std::string_view text) {
  return std::any_of(notes.begin(), notes.end(),
                     [&](const std::string& n) { return n.find(text) != std::string::npos; });
}

// Days of 2011 and 2012 with hours, and what follows from them.
std::string times_table(std::size_t rows, bool with_hours = true) {
  std::string text = "x,when,y\n";
  for (std::size_t i = 0; i < rows; ++i) {
    const std::time_t t = 1293840000 + static_cast<std::time_t>(i) * (with_hours ? 47 * 3607 : 86400);
    std::tm tm{};
    gmtime_r(&t, &tm);
    char written[40];
    std::strftime(written, sizeof(written), with_hours ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%d", &tm);
    text += std::to_string(i % 7) + "," + written + "," + std::to_string(tm.tm_hour + 0.5) + "\n";
  }
  return text;
}

Preprocessor fit_on(const std::string& text, Options options = {}) {
  options.target = "y";
  options.task = Task::regress;
  return Preprocessor::fit(raw_of(text, options), options);
}

}  // namespace

TEST_SUITE("data/time_stamp") {
  TEST_CASE("each day of four centuries, at some second: the numbers are those of the C library's calendar") {
    for (std::time_t t = -86400LL * 365 * 70 + 12345; t < 86400LL * 365 * 330; t += 86400 + 61) {
      std::tm tm{};
      gmtime_r(&t, &tm);
      char text[40];
      std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
      const auto time = read_time(text, DateOrder::ymd);
      REQUIRE(time.has_value());
      const double hour = tm.tm_hour + tm.tm_min / 60.0 + tm.tm_sec / 3600.0;
      const int year = tm.tm_year + 1900;
      const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
      constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
      const int days = kDays[tm.tm_mon] + (leap && tm.tm_mon == 1 ? 1 : 0);
      CHECK(number_of(*time, TimePart::hour) == doctest::Approx(hour).epsilon(1e-12));
      CHECK(number_of(*time, TimePart::weekday) == (tm.tm_wday == 0 ? 7 : tm.tm_wday));
      CHECK(number_of(*time, TimePart::day) == tm.tm_mday);
      CHECK(number_of(*time, TimePart::month) ==
            doctest::Approx(tm.tm_mon + 1 + (tm.tm_mday - 1 + hour / 24) / days).epsilon(1e-12));
      CHECK(number_of(*time, TimePart::year) ==
            doctest::Approx(year + (tm.tm_yday + hour / 24) / (leap ? 366 : 365)).epsilon(1e-13));
    }
  }

  TEST_CASE("ways to write a time, and what is none") {
    const auto same = [](std::string_view text, DateOrder order, TimeStamp wanted) {
      CAPTURE(text);
      const auto got = read_time(text, order);
      REQUIRE(got.has_value());
      CHECK(got->year == wanted.year);
      CHECK(got->month == wanted.month);
      CHECK(got->day == wanted.day);
      CHECK(got->hour == doctest::Approx(wanted.hour));
    };
    same("2011-04-05", DateOrder::ymd, {2011, 4, 5, 0});
    same(" 2011/4/5 ", DateOrder::ymd, {2011, 4, 5, 0});
    same("5.4.2011 6:30", DateOrder::dmy, {2011, 4, 5, 6.5});
    same("4/5/2011 6:30 PM", DateOrder::mdy, {2011, 4, 5, 18.5});
    same("4/5/2011 12:30 am", DateOrder::mdy, {2011, 4, 5, 0.5});
    same("2011-04-05T06:30:36.5+02:00", DateOrder::ymd, {2011, 4, 5, 6 + 30 / 60.0 + 36.5 / 3600});
    same("2011-04-05 06:30:36,25 -0530", DateOrder::ymd, {2011, 4, 5, 6 + 30 / 60.0 + 36.25 / 3600});
    same("2011-04-05 06:30 UTC", DateOrder::ymd, {2011, 4, 5, 6.5});
    same("2012-02-29", DateOrder::ymd, {2012, 2, 29, 0});
    same("23:59:60", DateOrder::none, {0, 0, 0, 24});
    for (const char* text : {"",
                             "2011",
                             "2011-04",
                             "2011-13-01",
                             "2011-02-29",
                             "2011-04-31",
                             "2011-04-00",
                             "0000-01-01",
                             "2011-04/05",
                             "2011-04-05x",
                             "2011-04-05 ",
                             "11-04-05",
                             "20110405",
                             "2011-04-05T",
                             "2011-04-05 24:00",
                             "2011-04-05 6",
                             "2011-04-05 06:60",
                             "2011-04-05 06:3",
                             "2011-04-05 06:30:61",
                             "2011-04-05 13:00 PM",
                             "2011-04-05 06:30:36.",
                             "2011-04-05 06:30+",
                             "2011-04-05 06:30+1",
                             "2011-04-05 06:30+16:00",
                             "06:30",
                             "a",
                             "99999-01-01"}) {
      CAPTURE(text);
      CHECK(is_time(text, DateOrder::ymd) == (std::string_view(text) == "2011-04-05 "));
    }
    CHECK_FALSE(is_time("24:00", DateOrder::none));
    CHECK_FALSE(is_time("2011-04-05", DateOrder::dmy));
    CHECK_FALSE(is_time("31/12/2011", DateOrder::mdy));
  }

  TEST_CASE("whatever stands in a text, what is read of it are numbers of the calendar") {
    constexpr std::string_view kSigns = "0123456789-/.: TZ+,PMapU";
    const Rng random(7, 1);
    std::uint32_t draw = 0;
    std::size_t read = 0;
    for (int i = 0; i < 30000; ++i) {
      const std::string_view from[] = {"2011-04-24 23:00:15.25+02:00", "24.4.2011 11:59 PM", "4/24/2011", "23:59"};
      std::string text(from[i % 4]);
      for (std::size_t changes = random.below(draw++, 4); changes > 0; --changes) {
        const std::size_t at = random.below(draw++, static_cast<std::uint32_t>(text.size()));
        const char sign = kSigns[random.below(draw++, static_cast<std::uint32_t>(kSigns.size()))];
        if (random.below(draw++, 3) == 0) {
          text.erase(at, 1 + at % 3);
        } else {
          text.insert(text.begin() + static_cast<std::ptrdiff_t>(at), sign);
        }
        if (text.empty()) text = "0";
      }
      for (const DateOrder order : {DateOrder::ymd, DateOrder::dmy, DateOrder::mdy, DateOrder::none}) {
        const auto time = read_time(text, order);
        if (!time) continue;
        ++read;
        CAPTURE(text);
        CHECK((time->hour >= 0 && time->hour <= 24));
        if (order == DateOrder::none) continue;
        const auto within = [&](TimePart part, double low, double high) {
          const double x = number_of(*time, part);
          return x >= low && x < high;
        };
        CHECK(within(TimePart::year, time->year, time->year + 1.001));
        CHECK(within(TimePart::month, time->month, time->month + 1.001));
        CHECK(within(TimePart::day, 1, 32));
        CHECK(within(TimePart::weekday, 1, 8));
      }
    }
    CHECK(read > 5000);
  }

  TEST_CASE("a column is several inputs, with the numbers that differ from row to row alone") {
    const Preprocessor p = fit_on(times_table(400));
    CHECK(p.features() == 6);
    CHECK(p.recipe().table_width() == 3);
    CHECK(tells(p.notes(), "'when' is read as times, and learned from by their year, month, day, weekday, hour"));
    CHECK_FALSE(tells(p.notes(), "id"));
    CHECK(tells(p.describe(), "'when (hour)' (column 1): number"));
    CHECK(fit_on(times_table(400, false)).features() == 5);  // no hours
    CHECK(fit_on(times_table(20, false)).features() == 5);
    Options categories;
    categories.categorical = {"when"};
    CHECK(fit_on(times_table(40), categories).features() == 1 + 40);
    const Preprocessor days = fit_on("x,when,y\n1,7:15,1\n2,8:15,2\n3,23:59,4\n");
    CHECK(days.features() == 2);
    CHECK(tells(days.notes(), "'when' is read as times of day"));
    // The same in each row, or not all of them times: categories as before.
    CHECK(fit_on("x,when,y\n1,2011-01-01,1\n2,2011-01-01,2\n3,2011-01-01,4\n").recipe().columns[1].kind ==
          InputColumn::Kind::categories);
    const Preprocessor odd = fit_on(times_table(60) + "1,soon,3\n");
    CHECK(odd.features() == 1 + 61);
    CHECK(tells(odd.notes(), "'when' has times, but 'soon' is none: taken as categories; --missing soon makes it"));
    Options missing;
    missing.missing = {"soon"};
    CHECK(fit_on(times_table(60) + "1,soon,3\n", missing).features() == 6);
  }

  TEST_CASE("what stands first, day or month, is told by the days beyond the 12th, or said") {
    const auto order_of = [](const std::string& cells, std::vector<std::string>* notes = nullptr) {
      const Preprocessor p = fit_on("when,y\n" + cells);
      if (notes) *notes = p.notes();
      return p.recipe().columns[0].order;
    };
    CHECK(order_of("13/1/2011,1\n12/2/2011,2\n") == DateOrder::dmy);
    CHECK(order_of("1/13/2011,1\n12/2/2011,2\n") == DateOrder::mdy);
    CHECK(order_of("1-13-2011,1\n12-2-2011,2\n") == DateOrder::mdy);
    std::vector<std::string> notes;
    CHECK(order_of("1/3/2011,1\n12/2/2011,2\n", &notes) == DateOrder::mdy);
    CHECK(tells(notes, "'when' has no day beyond the 12th, which would show what stands first: taken as the month"));
    CHECK(order_of("1-3-2011,1\n12-2-2011,2\n", &notes) == DateOrder::dmy);
    CHECK(tells(notes, "taken as the day"));
    CHECK(order_of("1.3.2011,1\n12.2.2011,2\n", &notes) == DateOrder::dmy);
    CHECK_FALSE(tells(notes, "beyond the 12th"));
  }

  TEST_CASE("the same numbers again from the model's file, by name, by place and in another order of columns") {
    for (const std::int64_t embedding : {0, 8}) {
      Options options;
      options.embedding = embedding;
      const std::string text = times_table(300);
      const Preprocessor p = fit_on(text, options), q = Preprocessor::from_json(p.to_json());
      CHECK(q.to_json() == p.to_json());
      CHECK(q.describe() == p.describe());
      const Examples first = p.apply(raw_of(text), true);
      const auto read = [&](const std::string& rows) { return parse_csv(source_of(rows), {}, &q.recipe()); };
      CHECK(q.apply({"t", read(text)}, true).x == first.x);
      // Two rows, without the target and with columns the other way round: 47 hours and 47 times 7 seconds apart.
      const std::string turned = "when,x\n2011-01-01 00:00:00,0\n2011-01-02 23:05:29,1\n";
      const Examples two = q.apply({"t", read(turned)}, false);
      for (std::size_t i = 0; i < two.x.size(); ++i) CHECK(two.x[i] == first.x[i]);
      const Examples unnamed = q.apply({"t", read("0,2011-01-01 00:00:00\n1,2011-01-02 23:05:29\n")}, false);
      CHECK(unnamed.x == two.x);
      CHECK(thrown_by([&] { q.apply({"t", read("x,then\n1,2011-01-01\n")}, false); }).says("missing: 'when'"));
      // What is no time is missing, and said.
      std::vector<std::string> notes;
      const Examples odd = q.apply({"t", read("x,when\n0,soon\n0,\n")}, false, &notes);
      CHECK(tells(notes, "texts that are no times as those of training, taken as missing: 'when' 1 row ('soon')"));
      CHECK(tells(notes, "missing values where training had none"));
      CHECK(std::equal(odd.x.begin(), odd.x.begin() + static_cast<std::ptrdiff_t>(odd.features),
                       odd.x.begin() + static_cast<std::ptrdiff_t>(odd.features)));
      // A run that starts from this model has its inputs.
      std::vector<std::string> more;
      const Preprocessor again(with_inputs_of(q.recipe(), fit_on(times_table(50), options).recipe(), "t", more));
      CHECK(again.apply(raw_of(text), true).x == first.x);
      Options dropped = options;
      dropped.drop = {"when"};
      const Preprocessor plain(with_inputs_of(fit_on(text, dropped).recipe(), q.recipe(), "t", more));
      CHECK(plain.recipe().table_width() == 3);
      CHECK(tells(more, "left aside, for the model to start from does not have them: 'when'"));
    }
  }

  TEST_CASE("damaged recipes with times are refused") {
    Options options;
    options.embedding = 4;
    options.bins = 4;
    const std::string good = fit_on(times_table(30), options).to_json();
    refuses_each_beginning(good);
    const auto changed = [&](std::string_view from, std::string_view to) { return status_of_changed(good, from, to); };
    CHECK(changed("\"version\":6", "\"version\":5") == Status::format);
    CHECK(changed("\"order\":\"ymd\"", "\"order\":\"none\"") == Status::format);
    CHECK(changed("\"order\":\"ymd\"", "\"order\":\"my\"") == Status::format);
    CHECK(changed("\"part\":\"year\"", "\"part\":\"none\"") == Status::format);
    CHECK(changed("\"part\":\"year\"", "\"part\":\"hour\"") == Status::format);
    CHECK(changed("\"part\":\"year\"", "\"part\":\"second\"") == Status::format);
    CHECK(changed("\"part\":\"year\",\"mean\":", "\"part\":\"year\",\"mean\":\"x\",\"m\":") == Status::format);
    CHECK(changed("\"kind\":\"time\"", "\"kind\":\"times\"") == Status::format);
  }
}
