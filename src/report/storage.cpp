// What rounding to the storage types does: magnitudes over time, and what is flushed and saturated.
#include <algorithm>
#include <cmath>

#include "report/run_sections.hpp"
#include "report/svg_plot.hpp"

namespace halfstep::internal::report {
namespace {

constexpr std::size_t kMostFigures = 12;

double share(std::int64_t part, std::int64_t of) {
  return of > 0 ? static_cast<double>(part) / static_cast<double>(of) : 0;
}

// Exponents of the least value that is not flushed, the least with all bits, and the first beyond the largest.
struct Limits {
  int flushed, normal, over;
};
Limits limits_of(Dtype dtype) {
  if (dtype == Dtype::fp16) return {-24, -14, 16};
  return {-126, -126, 128};
}

// One tensor in each reading of the meters; null where a reading does not have it.
struct History {
  std::string tensor;
  std::vector<const TensorMeter*> readings;
  const TensorMeter& last() const {
    return **std::find_if(readings.rbegin(), readings.rend(), [](const TensorMeter* m) { return m != nullptr; });
  }
  // What storage takes away, at its worst.
  double worst() const {
    double most = 0;
    for (const TensorMeter* m : readings) {
      if (m != nullptr) most = std::max(most, share(m->flushed + m->saturated + m->non_finite, m->elements));
    }
    return most;
  }
};

std::vector<History> histories(const RunReport& r) {
  std::vector<History> all;
  for (std::size_t i = 0; i < r.meters.size(); ++i) {
    for (const TensorMeter& m : r.meters[i].tensors) {
      auto found = std::find_if(all.begin(), all.end(), [&](const History& h) { return h.tensor == m.tensor; });
      if (found == all.end())
        found = all.insert(all.end(), {m.tensor, std::vector<const TensorMeter*>(r.meters.size())});
      found->readings[i] = &m;
    }
  }
  return all;
}

// Rows of the map, of exponents from `low` on.
struct Rows {
  int low = 0, count = 1;
};

Rows rows_of(const History& history, const Limits& limits) {
  int low = 200, high = -200;
  for (const TensorMeter* m : history.readings) {
    for (int e = 1; m != nullptr && e < 255; ++e) {
      // A few stragglers must not make the picture of all others small.
      if (static_cast<double>(m->exponents[std::size_t(e)]) <= 1e-6 * static_cast<double>(m->elements)) continue;
      low = std::min(low, e - 127);
      high = std::max(high, e - 127);
    }
  }
  if (low > high) return {-8, 16};
  // Limits nearby are worth seeing.
  for (const int limit : {limits.flushed, limits.normal, limits.over}) {
    if (limit < low && low - limit <= 6) low = limit - 1;
    if (limit > high && limit - high <= 6) high = limit;
  }
  high = std::max(high, low + 7);
  return {low - 1, std::min(high - low + 3, 80)};
}

// 0 to 9, as the eye sees shares.
int shade(double of_all) {
  return of_all <= 0 ? 0 : std::clamp(static_cast<int>(std::ceil(std::sqrt(of_all) * 14)), 1, 9);
}

int shade_at(const TensorMeter* m, int exponent) {
  if (m == nullptr || exponent + 127 < 1 || exponent + 127 > 254) return 0;
  return shade(share(m->exponents[static_cast<std::size_t>(exponent + 127)], m->elements));
}

// Cells in units of one reading by one exponent, neighbours of one shade as one.
Markup cells(const History& history, const Rows& rows) {
  std::string paths[10];
  for (int row = 0; row < rows.count; ++row) {
    const int exponent = rows.low + rows.count - 1 - row;
    for (std::size_t i = 0; i < history.readings.size();) {
      const int level = shade_at(history.readings[i], exponent);
      std::size_t end = i + 1;
      while (end < history.readings.size() && shade_at(history.readings[end], exponent) == level) ++end;
      if (level > 0) {
        const std::string width = std::to_string(end - i);
        paths[level] += "M" + std::to_string(i) + " " + std::to_string(row) + "h" + width + "v1h-" + width + "z";
      }
      i = end;
    }
  }
  Markup out;
  for (int level = 1; level <= 9; ++level) {
    if (paths[level].empty()) continue;
    out += lone_element("path", {{"class", "heat h" + std::to_string(level)}, {"d", paths[level]}});
  }
  return out;
}

class Map {
 public:
  Map(const RunReport& report, const History& history)
      : report_(report),
        history_(history),
        limits_(limits_of(history.last().storage)),
        rows_(rows_of(history, limits_)) {}

  Markup svg() {
    const double width = kFigureWidth - kPlotLeft - kPlotRight, height = kFigureHeight - kPlotTop - kPlotBottom;
    const double x = width / static_cast<double>(history_.readings.size()), y = height / rows_.count;
    const auto exact = [](double v) { return std::to_string(v); };
    const std::string move = "translate(" + coordinate(kPlotLeft) + " " + coordinate(kPlotTop) + ") scale(" + exact(x) +
                             " " + exact(y) + ")";
    Markup out = element("g", {{"transform", move}}, cells(history_, rows_));
    Markup labels;
    for (int e = rows_.low; e <= rows_.low + rows_.count; ++e) {
      if (e % 8 == 0) labels += label(kPlotLeft - 6, at(e) + 3.5, "end", power_text(2, e));
    }
    labels += label(kPlotLeft, kFigureHeight - kPlotBottom + 15, "start", std::to_string(report_.meters.front().step));
    labels += label(kFigureWidth - kPlotRight, kFigureHeight - kPlotBottom + 15, "end",
                    std::to_string(report_.meters.back().step));
    labels += label((kFigureWidth + kPlotLeft - kPlotRight) / 2, kFigureHeight - 4, "middle", "step");
    const std::string foot = "M" + coordinate(kPlotLeft) + " " + coordinate(kFigureHeight - kPlotBottom) + "H" +
                             coordinate(kFigureWidth - kPlotRight);
    out += lone_element("path", {{"class", "axis"}, {"d", foot}});
    add_limit(limits_.over, "", "overflow", out);
    add_limit(limits_.flushed, "", "flushed to zero", out);
    if (limits_.normal != limits_.flushed) add_limit(limits_.normal, " mild", "subnormal", out);
    out += element("g", {{"class", "labels"}}, labels);
    const std::string box = "0 0 " + coordinate(kFigureWidth) + " " + coordinate(kFigureHeight);
    return element("svg", {{"viewBox", box}, {"role", "img"}, {"aria-label", history_.tensor}}, out);
  }

 private:
  // Lower edge of what has this exponent.
  double at(int exponent) const {
    const double height = kFigureHeight - kPlotTop - kPlotBottom;
    return kPlotTop + height * (rows_.low + rows_.count - exponent) / rows_.count;
  }
  static Markup label(double x, double y, std::string_view anchor, std::string_view text) {
    return element("text", {{"x", coordinate(x)}, {"y", coordinate(y)}, {"text-anchor", anchor}}, words(text));
  }
  void add_limit(int exponent, std::string_view kind, std::string_view text, Markup& out) const {
    if (exponent <= rows_.low || exponent > rows_.low + rows_.count) return;
    const double y = at(exponent);
    out += lone_element("path", {{"class", "limit" + std::string(kind)},
                                 {"d", "M" + coordinate(kPlotLeft) + " " + coordinate(y) + "H" +
                                           coordinate(kFigureWidth - kPlotRight)}});
    const double above = exponent == limits_.over ? -3 : 10;
    out += element(
        "text", {{"class", "at" + std::string(kind)}, {"x", coordinate(kPlotLeft + 4)}, {"y", coordinate(y + above)}},
        words(text));
  }

  const RunReport& report_;
  const History& history_;
  Limits limits_;
  Rows rows_;
};

Markup map_figure(const RunReport& report, const History& history) {
  const TensorMeter& last = history.last();
  std::string note = "last: " + percent_text(share(last.flushed, last.elements)) + " flushed, " +
                     percent_text(share(last.subnormal, last.elements)) + " subnormal, " +
                     percent_text(share(last.saturated, last.elements)) + " saturated";
  if (last.non_finite > 0) note += ", " + percent_text(share(last.non_finite, last.elements)) + " inf or NaN";
  return figure_around(history.tensor, element("span", {{"class", "legend"}}, words(name(last.storage))),
                       Map(report, history).svg(), note);
}

Markup shares_table(const RunReport& report, const std::vector<History>& all) {
  Table table = {
      .head = {"tensor", "storage", "zero", "flushed", "subnormal", "saturated", "inf or NaN", "flushed, worst"},
      .kinds = {"", "", "n", "n", "n", "n", "n", "n"},
      .rows = {}};
  for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 120); ++i) {
    const TensorMeter& m = all[i].last();
    double flushed = 0;
    for (const TensorMeter* reading : all[i].readings) {
      if (reading != nullptr) flushed = std::max(flushed, share(reading->flushed, reading->elements));
    }
    table.rows.push_back(
        {words(m.tensor), words(name(m.storage)), words(percent_text(share(m.exponents[0], m.elements))),
         words(percent_text(share(m.flushed, m.elements))), words(percent_text(share(m.subnormal, m.elements))),
         words(percent_text(share(m.saturated, m.elements))), words(percent_text(share(m.non_finite, m.elements))),
         words(percent_text(flushed))});
  }
  return details("all tensors, at step " + count_text(report.meters.back().step), table_of(table));
}

Markup updates_figure(const RunReport& report) {
  Plot plot = {.title = "Weights left as they were, %", .x_label = "step"};
  plot.y_range.add(0);
  constexpr std::size_t kMostLayers = 8;
  for (const MeterReport& m : report.meters) {
    for (std::size_t i = 0; i < std::min(m.updates.size(), kMostLayers); ++i) {
      if (plot.curves.size() <= i) {
        plot.curves.push_back(
            {.name = m.updates[i].tensor, .colour = "c" + std::to_string(i), .points = {}, .dots = true});
      }
      plot.curves[i].points.push_back({double(m.step), 100 * share(m.updates[i].unchanged, m.updates[i].weights)});
    }
  }
  plot.note = "By one update, of the copies that forward and backward read. Masters keep what rounds away.";
  return plot.curves.empty() ? Markup{} : figure(plot);
}

}  // namespace

Markup storage_of(const RunReport& report) {
  std::vector<History> all = histories(report);
  if (all.empty()) return {};
  const Markup table = shares_table(report, all);
  // Of a deep model those where most is lost, in the order of the layers.
  std::vector<std::size_t> shown(all.size());
  for (std::size_t i = 0; i < shown.size(); ++i) shown[i] = i;
  if (shown.size() > kMostFigures) {
    std::stable_sort(shown.begin(), shown.end(),
                     [&](std::size_t a, std::size_t b) { return all[a].worst() > all[b].worst(); });
    shown.resize(kMostFigures);
    std::sort(shown.begin(), shown.end());
  }
  Markup figures;
  for (const std::size_t i : shown) figures += map_figure(report, all[i]);
  figures += updates_figure(report);
  std::string lead =
      "Magnitudes before rounding, as powers of two, in " + std::to_string(report.meters.size()) +
      (report.meters.size() == 1 ? " reading" : " readings") +
      ": the stronger the colour, the more. Gradients (d: by what goes into the activation) carry the loss "
      "scale. Below the lowest line values become zero, above the highest infinite.";
  if (const std::int64_t resumed = report.result.resumed_at; resumed > 0) {
    lead += " They begin after step " + count_text(resumed) + ", where the run went on with a checkpoint.";
  }
  if (shown.size() < all.size()) {
    lead += " Shown are the " + std::to_string(shown.size()) + " tensors of " + std::to_string(all.size()) +
            " that lose most.";
  }
  return section("What the storage types keep", lead, element("div", {{"class", "figures"}}, figures) + table);
}

}  // namespace halfstep::internal::report
