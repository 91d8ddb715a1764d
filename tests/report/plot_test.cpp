// Axes and pictures of all kinds of numbers, the strange ones too.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "report/axis.hpp"
#include "report/run_report.hpp"
#include "report/sampled.hpp"
#include "report/style.hpp"
#include "report/svg_plot.hpp"
#include "support/markup_check.hpp"

namespace halfstep::internal::report {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

Extent extent(std::initializer_list<double> values, Scale scale = Scale::linear) {
  Extent e;
  for (const double v : values) e.add(v, scale);
  return e;
}

std::string labels(const Axis& axis) {
  std::string text;
  for (const Tick& tick : axis.ticks()) text += tick.label + " ";
  return text;
}

std::string drawn(const Plot& plot) {
  const std::string text = page("t", figure(plot), "");
  CHECK(test::MarkupCheck::problem(text) == "");
  CHECK(text.find("nan ") == std::string::npos);
  CHECK(text.find("inf ") == std::string::npos);
  return figure(plot).text;
}

}  // namespace

TEST_CASE("axis: round numbers around the values") {
  CHECK(labels(Axis(Scale::linear, extent({0, 1}), 5)) == "0 0.2 0.4 0.6 0.8 1.0 ");
  CHECK(labels(Axis(Scale::linear, extent({-3, 7}), 5)) == "-4 -2 0 2 4 6 8 ");
  CHECK(labels(Axis(Scale::linear, extent({0, 1.2e6}), 5)) == "0 0.5M 1.0M 1.5M ");
  CHECK(labels(Axis(Scale::linear, extent({0, 250000}), 5)) == "0 50k 100k 150k 200k 250k ");
  CHECK(labels(Axis(Scale::log10, extent({0.001, 1000}), 6)) == "0.001 0.01 0.1 1 10 100 1000 ");
  CHECK(labels(Axis(Scale::log10, extent({0.3, 4}), 5)) == "0.2 0.5 1 2 5 ");
  CHECK(labels(Axis(Scale::log2, extent({65536, 16777216}), 8)) == "2¹⁶ 2¹⁷ 2¹⁸ 2¹⁹ 2²⁰ 2²¹ 2²² 2²³ 2²⁴ ");
  const Axis axis(Scale::linear, extent({0, 10}), 5);
  CHECK(axis.place(0) == 0);
  CHECK(axis.place(5) == 0.5);
  CHECK(std::isnan(axis.place(kNan)));
  CHECK(std::isnan(axis.place(kInf)));
  CHECK(std::isnan(Axis(Scale::log10, extent({1, 10}), 5).place(0)));
}

TEST_CASE("axis: any extent has few ticks within it, and places from 0 to 1") {
  const double values[] = {0,          1e-310, -1e-310, 1e-300,  1e-20,    0.1,  1,    1 + 1e-12, 1e9,
                           1e9 + 1e-6, 1e300,  -1e300,  1.7e308, -1.7e308, kNan, kInf, -kInf};
  for (const Scale scale : {Scale::linear, Scale::log10, Scale::log2}) {
    for (const double a : values) {
      for (const double b : values) {
        CAPTURE(a);
        CAPTURE(b);
        const Extent e = extent({a, b}, scale);
        const Axis axis(scale, e, 5);
        CHECK(axis.ticks().size() <= 16);
        CHECK(axis.ticks().empty() == e.empty());
        for (const double v : {a, b}) {
          const double place = axis.place(v);
          if (!std::isfinite(v) || (scale != Scale::linear && v <= 0)) {
            CHECK(std::isnan(place));
          } else {
            CHECK(place >= 0);
            CHECK(place <= 1);
          }
        }
        for (const Tick& tick : axis.ticks()) CHECK(tick.label.size() < 24);
      }
    }
  }
}

TEST_CASE("plot: constant, empty and non-finite series are pictures too") {
  const auto curve = [](std::vector<Point> points) {
    Plot plot = {.title = "t", .x_label = "step"};
    plot.curves.push_back({.name = "a", .colour = "c0", .points = std::move(points)});
    return drawn(plot);
  };
  CHECK(curve({}).find("no finite values") != std::string::npos);
  CHECK(curve({{1, kNan}, {2, kInf}}).find("no finite values") != std::string::npos);
  CHECK(curve({{1, 5}, {2, 5}, {3, 5}}).find("class=\"line c0\"") != std::string::npos);
  CHECK(curve({{1, 5}}).find("h0\"") != std::string::npos);  // a dot
  const std::string broken = curve({{1, 1}, {2, kNan}, {3, 2}, {4, 3}});
  CHECK(broken.find("class=\"line bad\"") != std::string::npos);
  CHECK(broken.find("<title>nan</title>") != std::string::npos);
}

TEST_CASE("plot: names are escaped in titles, legends and stories") {
  Plot plot = {.title = "<script>", .x_label = "<x>"};
  plot.curves.push_back({.name = "<script>alert(1)</script>", .colour = "c0", .points = {{0, 0}, {1, 1}}});
  plot.marks.push_back({0.5, 0.5, "bad", "\"><script>"});
  plot.bars.push_back({0, 1, 1, "c0", "'<b>"});
  const std::string text = drawn(plot);
  CHECK(text.find("<script") == std::string::npos);
  CHECK(text.find("&lt;script&gt;alert(1)&lt;/script&gt;") != std::string::npos);
}

TEST_CASE("sampled: any number of steps in bounded space, with every value in it") {
  Sampled sampled;
  const std::int64_t steps = 10007;
  for (std::int64_t i = 1; i <= steps; ++i) sampled.add(i, i == 77 ? kNan : static_cast<double>(i));
  CHECK(sampled.buckets().size() <= Sampled::kMost);
  CHECK(sampled.buckets().size() > Sampled::kMost / 2);
  std::int64_t finite = 0, non_finite = 0, next = 1;
  for (const Sampled::Bucket& b : sampled.buckets()) {
    CHECK(b.first == next);
    next = b.last + 1;
    finite += b.finite;
    non_finite += b.non_finite;
    CHECK(b.high == static_cast<double>(b.last));
    CHECK(b.begin == static_cast<double>(b.first));
    CHECK(b.end == static_cast<double>(b.last));
  }
  CHECK(next == steps + 1);
  CHECK(finite == steps - 1);
  CHECK(non_finite == 1);
  CHECK(sampled.buckets().front().low == 1);
}

}  // namespace halfstep::internal::report
