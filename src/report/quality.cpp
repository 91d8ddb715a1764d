// How good the model is on the rows held out: classes, values, columns that it uses, rows that it gets wrong.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "halfstep/text.hpp"
#include "report/run_sections.hpp"
#include "report/svg_plot.hpp"

namespace halfstep::internal::report {
namespace {

constexpr std::size_t kMostOfMatrix = 30;
constexpr std::size_t kMostClasses = 100;
constexpr std::int64_t kEnoughRows = 10;  // for a mean to be worth a line

std::string class_name(const HeldOut& h, std::size_t i) {
  return i < h.classes.size() ? h.classes[i] : std::to_string(i);
}

// Rows are the truth. A cell's shade is its share of the row: the diagonal in one colour, mistakes in another.
Markup confusion(const HeldOut& h) {
  const std::size_t n = h.metrics.classes.size();
  if (n > kMostOfMatrix || h.metrics.confusion.size() != n * n) return {};
  Markup head = element("th", "true \\ said");
  for (std::size_t i = 0; i < n; ++i) head += element("th", {{"title", class_name(h, i)}}, words(class_name(h, i)));
  Markup body;
  for (std::size_t row = 0; row < n; ++row) {
    Markup cells = element("th", {{"title", class_name(h, row)}}, words(class_name(h, row)));
    const auto all = static_cast<double>(std::max<std::int64_t>(h.metrics.classes[row].rows, 1));
    for (std::size_t column = 0; column < n; ++column) {
      const std::int64_t count = h.metrics.confusion[row * n + column];
      const int level =
          count == 0 ? 0 : std::clamp(static_cast<int>(std::ceil(9 * std::sqrt(double(count) / all))), 1, 9);
      const std::string kind = level == 0 ? "" : (row == column ? "r" : "f") + std::to_string(level);
      cells += element("td", {{"class", kind}}, count == 0 ? Markup{"·"} : words(std::to_string(count)));
    }
    body += element("tr", cells) + Markup{"\n"};
  }
  const Markup table = element("table", {{"class", n > 12 ? "confusion many" : "confusion"}},
                               element("thead", element("tr", head)) + element("tbody", body));
  return element("div", element("h3", "Which are taken for which") + element("div", {{"class", "scroll"}}, table));
}

// Of classes too many for a matrix.
Markup mistakes(const HeldOut& h) {
  const std::size_t n = h.metrics.classes.size();
  if (n <= kMostOfMatrix || h.metrics.confusion.size() != n * n) return {};
  std::vector<std::size_t> pairs;
  for (std::size_t i = 0; i < n * n; ++i) {
    if (i / n != i % n && h.metrics.confusion[i] > 0) pairs.push_back(i);
  }
  const std::size_t shown = std::min<std::size_t>(pairs.size(), 25);
  std::partial_sort(
      pairs.begin(), pairs.begin() + std::ptrdiff_t(shown), pairs.end(), [&](std::size_t a, std::size_t b) {
        return h.metrics.confusion[a] != h.metrics.confusion[b] ? h.metrics.confusion[a] > h.metrics.confusion[b]
                                                                : a < b;
      });
  Table table = {.head = {"rows", "of class", "taken for"}, .kinds = {"n", "w", "w"}, .rows = {}};
  for (std::size_t i = 0; i < shown; ++i) {
    table.rows.push_back({words(count_text(h.metrics.confusion[pairs[i]])), words(class_name(h, pairs[i] / n)),
                          words(class_name(h, pairs[i] % n))});
  }
  return table.rows.empty() ? Markup{} : element("div", element("h3", "Most frequent mistakes") + table_of(table));
}

Markup classes_table(const HeldOut& h) {
  Table table = {.head = {"class", "rows", "said", "precision", "recall", "F1"},
                 .kinds = {"w", "n", "n", "n", "n", "n"},
                 .rows = {}};
  const std::size_t n = h.metrics.classes.size();
  for (std::size_t i = 0; i < std::min(n, kMostClasses); ++i) {
    const ClassCounts& c = h.metrics.classes[i];
    const auto share = [](double v) { return words(std::isfinite(v) ? percent_text(v) : "–"); };
    table.rows.push_back({words(class_name(h, i)), words(count_text(c.rows)), words(count_text(c.predicted)),
                          share(c.precision()), share(c.recall()), share(c.f1())});
  }
  // So many are looked up, not read.
  Markup out =
      n > kMostOfMatrix ? details("each class", table_of(table)) : element("h3", "Each class") + table_of(table);
  if (n > kMostClasses)
    out += element("p", {{"class", "note"}}, words("and " + std::to_string(n - kMostClasses) + " more classes"));
  return element("div", out);
}

Markup calibration(const HeldOut& h) {
  Plot plot = {.title = "Reliability", .x_label = "confidence", .exact_x = true};
  Plot counts = {.title = "Rows by confidence", .x_label = "confidence", .exact_x = true};
  for (Plot* p : {&plot, &counts}) {
    p->x_range.add(0);
    p->x_range.add(1);
  }
  plot.y_range.add(0);
  plot.y_range.add(1);
  plot.curves.push_back({.name = "exact", .colour = "c7", .points = {{0, 0}, {1, 1}}, .dashed = true});
  constexpr double kWidth = 1.0 / kCalibrationBins;
  Curve bins = {.name = "this model", .colour = "c0", .points = {}, .dots = true};
  bool hollow = false;
  for (std::size_t i = 0; i < kCalibrationBins; ++i) {
    const CalibrationBin& bin = h.bins[i];
    if (bin.rows == 0) continue;
    const std::string title = count_text(bin.rows) + " rows: confidence " + percent_text(bin.confidence) + ", right " +
                              percent_text(bin.accuracy);
    const bool enough = bin.rows >= kEnoughRows;  // fewer say little
    if (enough) bins.points.push_back({bin.confidence, bin.accuracy});
    plot.marks.push_back({bin.confidence, bin.accuracy, "c0", title, !enough});
    hollow = hollow || !enough;
    counts.bars.push_back({double(i) * kWidth, double(i + 1) * kWidth, double(bin.rows), "c0", title});
  }
  plot.curves.push_back(std::move(bins));
  if (hollow) plot.keys.emplace_back("hollow", "fewer than " + std::to_string(kEnoughRows) + " rows");
  plot.note =
      "How often it is right when it is so sure. Below the dashed line it is too sure of itself. Calibration error " +
      percent_text(h.metrics.calibration_error) + ".";
  return counts.bars.empty() ? Markup{} : figure(plot) + figure(counts);
}

std::string with_name(const char* title, const TargetValues& target) {
  return target.name.empty() ? title : std::string(title) + ": " + target.name;
}

Markup predicted_figure(const HeldOut& h, const TargetValues& target) {
  Plot plot = {.title = with_name("Predicted against true", target), .x_label = "true value", .exact_x = false};
  Cloud cloud = {.colour = "c0", .points = {}};
  Extent range;
  for (const auto& [truth, prediction] : target.values) {
    cloud.points.push_back({truth, prediction});
    range.add(truth);
  }
  if (range.empty()) return {};
  plot.curves.push_back(
      {.name = "exact", .colour = "c7", .points = {{range.low, range.low}, {range.high, range.high}}, .dashed = true});
  plot.clouds.push_back(std::move(cloud));
  if (std::int64_t(target.values.size()) < h.metrics.rows) {
    plot.note = "A sample of " + count_text(std::int64_t(target.values.size())) + " of " + count_text(h.metrics.rows) +
                " rows.";
  }
  return figure(plot);
}

Markup residual_figure(const TargetValues& target) {
  const std::vector<std::int64_t>& counts = target.residuals;
  if (counts.empty()) return {};
  Plot plot = {.title = with_name("Predicted minus true", target), .x_label = "difference", .exact_x = false};
  const double width = (target.residual_high - target.residual_low) / static_cast<double>(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double from = target.residual_low + double(i) * width;
    plot.bars.push_back(
        {from, from + width, double(counts[i]), "c0",
         count_text(counts[i]) + " rows from " + short_number(from, 4) + " to " + short_number(from + width, 4)});
  }
  plot.note = "Rows by difference; the first and last bar hold all beyond.";
  return figure(plot);
}

// Of several: each in its own units.
Markup targets_table(const HeldOut& h) {
  const std::size_t n = h.metrics.targets.size();
  if (n < 2 || h.targets.size() != n) return {};
  Table table = {
      .head = {"target", "RMSE", "R²", "mean error", "median error"}, .kinds = {"w", "n", "n", "n", "n"}, .rows = {}};
  for (std::size_t i = 0; i < std::min(n, kMostClasses); ++i) {
    const TargetErrors& e = h.metrics.targets[i];
    table.rows.push_back({words(h.targets[i]), words(figure_text(e.rmse)), words(figure_text(e.r2)),
                          words(figure_text(e.mae)), words(figure_text(e.median_error))});
  }
  Markup out = element("h3", "Each target") + table_of(table);
  if (n > kMostClasses)
    out += element("p", {{"class", "note"}}, words("and " + std::to_string(n - kMostClasses) + " more targets"));
  return element("div", out);
}

// Of pictures: where in them the model looks.
Markup picture_of(const Importance& use) {
  const std::size_t side = use.side;
  if (use.columns.size() != side * side) return {};
  double most = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < use.columns.size(); ++i) {
    if (!(use.columns[i].increase > most)) continue;
    most = use.columns[i].increase;
    first = i;
  }
  std::string paths[10];
  for (std::size_t i = 0; i < use.columns.size(); ++i) {
    const double share = most > 0 ? use.columns[i].increase / most : 0;
    if (!(share > 0)) continue;
    const int level = std::clamp(static_cast<int>(std::ceil(9 * share)), 1, 9);
    paths[level] += "M" + std::to_string(i % side) + " " + std::to_string(i / side) + "h1v1h-1z";
  }
  Markup cells;
  for (int level = 1; level <= 9; ++level) {
    if (!paths[level].empty())
      cells += lone_element("path", {{"class", "heat h" + std::to_string(level)}, {"d", paths[level]}});
  }
  const std::string box = "0 0 " + std::to_string(side) + " " + std::to_string(side);
  return figure_around(
      "Where in the picture it looks", {},
      element("svg", {{"viewBox", box}, {"role", "img"}, {"aria-label", "use of the pixels"}}, cells),
      "The stronger the colour, the more the loss rises when these pixels change places among the rows; the most, by " +
          short_number(most, 3) + ": " + use.columns[first].name + ".");
}

std::string spread_text(double deviation) {
  return std::isnan(deviation) ? std::string() : " \u00b1 " + short_number(deviation, 2);
}

}  // namespace

Markup quality_of(const RunReport& report) {
  const HeldOut& h = report.held_out;
  if (h.name.empty()) return {};
  Markup content;
  if (h.metrics.classification) {
    content = element("div", {{"class", "figures"}}, calibration(h)) +
              element("div", {{"class", "pair"}}, confusion(h) + mistakes(h) + classes_table(h));
  } else {
    Markup figures;
    for (const TargetValues& target : h.values) figures += predicted_figure(h, target) + residual_figure(target);
    content = element("div", {{"class", "figures"}}, figures) + targets_table(h);
  }
  std::string lead = count_text(h.metrics.rows) + " " + h.name + " rows, ";
  lead += report.result.bag.empty() ? "which training has not seen"
                                    : "each as the network sees it that was not trained on it";
  if (h.metrics.non_finite > 0) lead += "; " + count_text(h.metrics.non_finite) + " of them without a finite output";
  Table metrics = {.head = {"metric", "value"}, .kinds = {"", "n"}, .rows = {}};
  for (std::size_t i = 0; i < kMetrics; ++i) {
    const auto kind = static_cast<MetricKind>(i);
    const double value = value_of(h.metrics, kind);
    if (applies_to(kind, h.metrics.classification)) {
      metrics.rows.push_back({words(metric_title(kind)), words(number_text(value))});
    }
  }
  content += details("all metrics, to the last digit", table_of(metrics));
  return section("How good it is", lead + ".", content);
}

Markup columns_of(const RunReport& report) {
  const Importance& use = report.held_out.importance;
  if (use.columns.empty()) return {};
  if (use.side > 0) {
    return section("What it goes by",
                   "Of " + count_text(use.rows) + " held-out rows, with a loss of " + figure_text(use.loss) + ".",
                   element("div", {{"class", "figures"}}, picture_of(use)));
  }
  double most = 0;
  for (const ColumnUse& c : use.columns) most = std::max(most, std::isfinite(c.increase) ? std::fabs(c.increase) : 0.0);
  Table table = {.head = {"column", "loss rises by", ""}, .kinds = {"w", "n", "x"}, .rows = {}};
  for (const ColumnUse& c : use.columns) {
    const double width = most > 0 && std::isfinite(c.increase) ? 100 * std::fabs(c.increase) / most : 0;
    table.rows.push_back(
        {words(c.name), words(short_number(c.increase, 3) + spread_text(c.deviation)),
         element("span",
                 {{"class", c.increase < 0 ? "bar less" : "bar"}, {"style", "width:" + coordinate(width) + "%"}}, {})});
  }
  std::string lead = "By how much the loss of " + count_text(use.rows) + " held-out rows, " + figure_text(use.loss) +
                     ", rises when a column's values change places among the rows";
  if (!std::isnan(use.columns.front().deviation)) lead += ", several times: mean and deviation";
  lead += ". Columns that say the same share their use between them.";
  if (!use.groups.empty()) lead += " " + use.groups;
  return section("What it goes by", lead, table_of(table) + dependence_figures(use.dependences));
}

Markup worst_of(const RunReport& report) {
  const HeldOut& h = report.held_out;
  if (h.worst.empty()) return {};
  Table table = {.head = {"row", "loss", "truth", "prediction"}, .kinds = {"", "n", "w", "w"}, .rows = {}};
  if (h.metrics.classification) {
    table.head.emplace_back("probability of the truth");
    table.kinds.emplace_back("n");
  }
  for (const WorstRow& row : h.worst) {
    std::vector<Markup> cells = {words(row.row), words(figure_text(row.loss)), words(row.truth), words(row.prediction)};
    if (h.metrics.classification) cells.push_back(words(percent_text(row.probability)));
    table.rows.push_back(std::move(cells));
  }
  return section("Rows it gets most wrong",
                 "Worth a look: labels that are wrong, values that are misread, cases that are rare.", table_of(table));
}

}  // namespace halfstep::internal::report
