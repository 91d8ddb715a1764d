// How a model's outputs follow from single columns.
#include <algorithm>
#include <cmath>

#include "halfstep/text.hpp"
#include "report/run_sections.hpp"
#include "report/svg_plot.hpp"

namespace halfstep::internal::report {
namespace {

constexpr double kWide = 1000;  // a factor between values, from where an axis is logarithmic

std::string note_of(const Dependence& d, const std::string& rest) {
  const std::string of = d.outputs.size() == 1 ? " of " + short_name(d.outputs[0]) : "";
  return "Mean of its predictions" + of + " if all rows " + rest;
}

Markup curves_over(const Dependence& d) {
  Extent extent;
  for (const DependencePoint& point : d.points) extent.add(point.number);
  Plot plot = {.title = short_name(d.column), .x_label = short_name(d.column)};
  plot.note = note_of(d, "had this value.");
  plot.x_scale = scale_for(extent, kWide);
  for (std::size_t o = 0; o < d.outputs.size(); ++o) {
    Curve curve = {.name = d.outputs.size() > 1 ? short_name(d.outputs[o]) : "",
                   .colour = "c" + std::to_string(o % 8),
                   .points = {},
                   .dots = true};
    for (const DependencePoint& point : d.points) curve.points.push_back({point.number, point.means[o]});
    plot.curves.push_back(std::move(curve));
  }
  return figure(plot);
}

// Bars from the least: what differs between categories is what matters.
Markup bars_over(const Dependence& d) {
  Table table = {.head = {short_name(d.column)}, .kinds = {"w"}, .rows = {}};
  for (const std::string& output : d.outputs) {
    table.head.push_back(short_name(output));
    table.kinds.emplace_back("n");
  }
  if (d.outputs.size() == 1) {
    table.head.emplace_back("");
    table.kinds.emplace_back("x");
  }
  double least = INFINITY, most = -INFINITY;
  for (const DependencePoint& point : d.points) {
    least = std::min(least, point.means[0]);
    most = std::max(most, point.means[0]);
  }
  for (const DependencePoint& point : d.points) {
    std::vector<Markup> cells = {words(short_name(point.value))};
    for (const double mean : point.means) cells.push_back(words(figure_text(mean)));
    const double share = most > least ? (point.means[0] - least) / (most - least) : 0;
    if (d.outputs.size() == 1) {
      cells.push_back(
          element("span", {{"class", "bar"}, {"style", "width:" + coordinate(std::max(100 * share, 1.0)) + "%"}}, {}));
    }
    table.rows.push_back(std::move(cells));
  }
  return element("div", element("h3", short_name(d.column)) + table_of(table) +
                            element("p", {{"class", "note"}},
                                    words(note_of(d, "were of this category; bars begin at the least."))));
}

}  // namespace

Markup dependence_figures(const std::vector<Dependence>& dependences) {
  Markup figures, tables;
  for (const Dependence& d : dependences) {
    if (d.is_number) figures += curves_over(d);
    if (!d.is_number) tables += bars_over(d);
  }
  Markup out;
  if (!figures.empty()) out += element("div", {{"class", "figures"}}, figures);
  if (!tables.empty()) out += element("div", {{"class", "pair"}}, tables);
  return out;
}

}  // namespace halfstep::internal::report
