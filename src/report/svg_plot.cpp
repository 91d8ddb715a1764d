#include "report/svg_plot.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace halfstep::internal::report {
namespace {

constexpr std::size_t kMostCrosses = 40;

Extent x_extent(const Plot& plot) {
  Extent x = plot.x_range;
  const auto add = [&](double value) { x.add(value, plot.x_scale); };
  for (const Curve& curve : plot.curves) {
    for (const Point& p : curve.points) add(p.x);
  }
  for (const Area& area : plot.areas) {
    for (const Area::Part& p : area.parts) add(p.x);
  }
  for (const Bar& bar : plot.bars) {
    add(bar.from);
    add(bar.to);
  }
  for (const Cloud& cloud : plot.clouds) {
    for (const Point& p : cloud.points) add(p.x);
  }
  for (const Mark& mark : plot.marks) add(mark.x);
  return x;
}

Extent y_extent(const Plot& plot) {
  Extent y = plot.y_range;
  const auto add = [&](double value) { y.add(value, plot.y_scale); };
  for (const Curve& curve : plot.curves) {
    for (const Point& p : curve.points) add(p.y);
  }
  for (const Area& area : plot.areas) {
    for (const Area::Part& p : area.parts) {
      add(p.low);
      add(p.high);
    }
  }
  for (const Bar& bar : plot.bars) add(bar.height);
  if (!plot.bars.empty()) add(0);
  for (const Cloud& cloud : plot.clouds) {
    for (const Point& p : cloud.points) add(p.y);
  }
  for (const Mark& mark : plot.marks) add(mark.y);
  return y;
}

Markup label_at(double x, double y, std::string_view anchor, std::string_view text) {
  return element("text", {{"x", coordinate(x)}, {"y", coordinate(y)}, {"text-anchor", anchor}}, words(text));
}

class Drawing {
 public:
  explicit Drawing(const Plot& plot)
      : plot_(plot), x_(plot.x_scale, x_extent(plot), 6, plot.exact_x), y_(plot.y_scale, y_extent(plot), 5) {}

  Markup svg() {
    add_axes();
    for (const Area& area : plot_.areas) add_area(area);
    for (const Bar& bar : plot_.bars) add_bar(bar);
    for (const Cloud& cloud : plot_.clouds) add_cloud(cloud);
    for (const Curve& curve : plot_.curves) add_curve(curve);
    for (const Mark& mark : plot_.marks) add_mark(mark);
    const std::string box = "0 0 " + coordinate(kFigureWidth) + " " + coordinate(kFigureHeight);
    return element("svg", {{"viewBox", box}, {"role", "img"}, {"aria-label", plot_.title}}, out_);
  }

 private:
  double x(double value) const { return kPlotLeft + x_.place(value) * (kFigureWidth - kPlotLeft - kPlotRight); }
  double y(double value) const {
    return kFigureHeight - kPlotBottom - y_.place(value) * (kFigureHeight - kPlotTop - kPlotBottom);
  }
  static bool drawn(double place) { return place == place; }

  void add_axes() {
    std::string lines;
    Markup labels;
    for (const Tick& tick : y_.ticks()) {
      const double at = y(tick.value);
      lines += "M" + coordinate(kPlotLeft) + " " + coordinate(at) + "H" + coordinate(kFigureWidth - kPlotRight);
      labels += label_at(kPlotLeft - 6, at + 3.5, "end", tick.label);
    }
    out_ += lone_element("path", {{"class", "grid"}, {"d", lines}});
    const double bottom = kFigureHeight - kPlotBottom;
    std::string feet =
        "M" + coordinate(kPlotLeft) + " " + coordinate(bottom) + "H" + coordinate(kFigureWidth - kPlotRight);
    for (const Tick& tick : x_.ticks()) {
      feet += "M" + coordinate(x(tick.value)) + " " + coordinate(bottom) + "v4";
      // Half of a label at the end would stand outside.
      const bool at_end = x(tick.value) > kFigureWidth - kPlotRight - 8;
      labels += label_at(x(tick.value) + (at_end ? 10 : 0), bottom + 15, at_end ? "end" : "middle", tick.label);
    }
    out_ += lone_element("path", {{"class", "axis"}, {"d", feet}});
    if (y_.ticks().empty() || x_.ticks().empty()) {
      labels += label_at(kFigureWidth / 2, kFigureHeight / 2, "middle", "no finite values");
    }
    labels += label_at((kFigureWidth + kPlotLeft - kPlotRight) / 2, kFigureHeight - 4, "middle", plot_.x_label);
    out_ += element("g", {{"class", "labels"}}, labels);
  }

  void add_area(const Area& area) {
    std::string there, back;
    for (const Area::Part& p : area.parts) {
      if (!drawn(x_.place(p.x)) || !drawn(y_.place(p.low)) || !drawn(y_.place(p.high))) continue;
      there += (there.empty() ? "M" : "L") + coordinate(x(p.x)) + " " + coordinate(y(p.high));
      back.insert(0, "L" + coordinate(x(p.x)) + " " + coordinate(y(p.low)));
    }
    if (!there.empty()) out_ += lone_element("path", {{"class", "area " + area.colour}, {"d", there + back + "Z"}});
  }

  void add_bar(const Bar& bar) {
    const double left = x(bar.from), right = x(bar.to), top = y(bar.height), foot = y(0);
    if (!drawn(left) || !drawn(right) || !drawn(top)) return;
    const double gap = right - left > 4 ? 1 : 0;
    out_ += element("rect",
                    {{"class", "fill " + bar.colour},
                     {"x", coordinate(left + gap / 2)},
                     {"y", coordinate(top)},
                     {"width", coordinate(std::max(right - left - gap, 0.5))},
                     {"height", coordinate(std::max(foot - top, 0.0))}},
                    element("title", bar.title));
  }

  void add_cloud(const Cloud& cloud) {
    std::string path;
    for (const Point& p : cloud.points) {
      if (drawn(x_.place(p.x)) && drawn(y_.place(p.y))) {
        path += "M" + coordinate(x(p.x)) + " " + coordinate(y(p.y)) + "h0";
      }
    }
    out_ += lone_element("path", {{"class", "cloud " + cloud.colour}, {"d", path}});
  }

  void add_curve(const Curve& curve) {
    std::string path, dots;
    bool open = false, alone = false;  // alone: the part of the curve that is open has one point
    std::size_t crosses = 0;
    const auto close = [&] {
      if (open && alone) path += "h0";  // a dot, where a line of no length would be nothing
      open = false;
    };
    for (const Point& p : curve.points) {
      if (!drawn(x_.place(p.x))) continue;
      if (!drawn(y_.place(p.y))) {
        if (open || crosses == 0) ++crosses;
        close();
        if (!std::isfinite(p.y) && crosses <= kMostCrosses) add_cross(x(p.x), p.y);
        continue;
      }
      const std::string at = coordinate(x(p.x)) + " " + coordinate(y(p.y));
      path += (open ? "L" : "M") + at;
      dots += "M" + at + "h0";
      alone = !open;
      open = true;
    }
    close();
    const std::string kind = curve.dashed ? "line dash " : "line ";
    if (!path.empty()) out_ += lone_element("path", {{"class", kind + curve.colour}, {"d", path}});
    if (curve.dots) {
      out_ += lone_element("path", {{"class", "dots " + curve.colour}, {"d", dots}});
    }
  }

  void add_cross(double at, double value) {
    const std::string d = "M" + coordinate(at - 3) + " " + coordinate(kPlotTop - 3) + "l6 6m0-6l-6 6";
    out_ += element("path", {{"class", "line bad"}, {"d", d}}, element("title", figure_text(value)));
  }

  void add_mark(const Mark& mark) {
    if (!drawn(x_.place(mark.x))) return;
    const double place = drawn(y_.place(mark.y)) ? y(mark.y) : kPlotTop;
    out_ += element("circle",
                    {{"class", (mark.hollow ? "ring " : "fill ") + mark.colour},
                     {"cx", coordinate(x(mark.x))},
                     {"cy", coordinate(place)},
                     {"r", mark.hollow ? "5" : "3.5"}},
                    element("title", mark.title));
  }

  const Plot& plot_;
  Axis x_, y_;
  Markup out_;
};

}  // namespace

std::string coordinate(double value) {
  char text[48];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, 1).ptr;
  std::string out(text, end);
  if (out.ends_with(".0")) out.resize(out.size() - 2);
  return out == "-0" ? "0" : out;
}

Scale scale_for(const Extent& extent, double span) {
  return !extent.empty() && extent.low > 0 && extent.high / extent.low > span ? Scale::log10 : Scale::linear;
}

Markup legend_key(std::string_view colour, std::string_view name, bool round) {
  const std::string kind = std::string(round ? "key round " : "key ") + std::string(colour);
  return element("span", {{"class", "legend"}}, element("i", {{"class", kind}}, {}) + words(name));
}

Markup figure_around(std::string_view title, const Markup& legend, const Markup& svg, std::string_view note) {
  Markup content = element("figcaption", element("b", title) + legend) + svg;
  if (!note.empty()) content += element("p", {{"class", "note"}}, words(note));
  return element("figure", content) + Markup{"\n"};
}

Markup figure(const Plot& plot) {
  Markup legend;
  for (const Curve& curve : plot.curves) {
    if (!curve.name.empty()) legend += legend_key(curve.colour, curve.name);
  }
  for (const Area& area : plot.areas) {
    if (!area.name.empty()) legend += legend_key("pale " + area.colour, area.name);
  }
  for (const auto& [colour, name] : plot.keys) legend += legend_key(colour, name, true);
  return figure_around(plot.title, legend, Drawing(plot).svg(), plot.note);
}

}  // namespace halfstep::internal::report
