// Pictures of numbers as SVG: axes with curves, areas, marks, bars and clouds of dots.
#pragma once
#include <string>
#include <vector>

#include "report/axis.hpp"
#include "report/markup.hpp"

namespace halfstep::internal::report {

struct Point {
  double x, y;
};

// A class of the style sheet, "c0" to "c7", "bad", "good" or "quiet", is its colour. Values that are not finite break a
// curve and are crosses at the upper edge.
struct Curve {
  std::string name;  // in the legend; empty: none
  std::string colour;
  std::vector<Point> points;
  bool dashed = false;
  bool dots = false;  // at each point
};

struct Area {
  std::string name;
  std::string colour;
  struct Part {
    double x, low, high;
  };
  std::vector<Part> parts;
};

// A point with a story, which shows where the pointer rests.
struct Mark {
  double x, y;
  std::string colour;
  std::string title;
  bool hollow = false;
};

struct Bar {
  double from, to;  // on the x axis
  double height;
  std::string colour;
  std::string title;
};

struct Cloud {
  std::string colour;
  std::vector<Point> points;
};

struct Plot {
  std::string title;
  std::string x_label;
  std::string note = {};  // beneath
  Scale x_scale = Scale::linear, y_scale = Scale::linear;
  Extent x_range = {}, y_range = {};  // that the axes hold beside what is drawn
  bool exact_x = true;                // the x axis ends where the values do
  std::vector<Area> areas = {};
  std::vector<Bar> bars = {};
  std::vector<Curve> curves = {};
  std::vector<Cloud> clouds = {};
  std::vector<Mark> marks = {};
  std::vector<std::pair<std::string, std::string>> keys = {};  // colour and name of what marks are, for the legend
};

// With its title, legend and note.
Markup figure(const Plot& plot);

// The same frame around another picture.
Markup figure_around(std::string_view title, const Markup& legend, const Markup& svg, std::string_view note);
Markup legend_key(std::string_view colour, std::string_view name, bool round = false);

// Coordinates to a tenth, without needless characters.
std::string coordinate(double value);

constexpr double kFigureWidth = 380, kFigureHeight = 230;
constexpr double kPlotLeft = 50, kPlotRight = 12, kPlotTop = 12, kPlotBottom = 34;  // room around the plot in it

// Logarithmic where the values span more than a factor of `span`, and all are positive.
Scale scale_for(const Extent& extent, double span);

}  // namespace halfstep::internal::report
