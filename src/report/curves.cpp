// How the run went: curves over its steps.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "halfstep/text.hpp"
#include "report/run_sections.hpp"
#include "report/svg_plot.hpp"

namespace halfstep::internal::report {
namespace {

constexpr std::size_t kMostMarks = 60;
constexpr std::size_t kMostPoints = 200;

// Evenly, the last one always.
template <class T, class F>
std::vector<Point> points_of(const std::vector<T>& from, F point) {
  std::vector<Point> points;
  const std::size_t stride = from.size() / kMostPoints + 1;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if ((from.size() - 1 - i) % stride == 0) points.push_back(point(from[i]));
  }
  return points;
}

double middle(const Sampled::Bucket& b) { return static_cast<double>(b.first + b.last) / 2; }

Area spread(const Sampled& values, std::string name, std::string colour) {
  Area area = {.name = std::move(name), .colour = std::move(colour), .parts = {}};
  for (const Sampled::Bucket& b : values.buckets()) {
    if (b.finite > 0) area.parts.push_back({middle(b), b.low, b.high});
  }
  return area;
}

// The mean of each bucket; NaN, which is a cross, where no step had a number.
std::vector<Point> means(const Sampled& values) {
  return points_of(values.buckets(), [](const Sampled::Bucket& b) { return Point{middle(b), b.mean()}; });
}

Extent extent_of(const Sampled& values) {
  Extent extent;
  for (const Sampled::Bucket& b : values.buckets()) {
    extent.add(b.low);
    extent.add(b.high);
  }
  return extent;
}

bool few(const std::vector<EpochPoint>& epochs) { return epochs.size() <= 30; }

std::string best_title(const EpochPoint& best, double value) {
  return "best: epoch " + std::to_string(best.epoch) + ", " + figure_text(value);
}

// What was measured of the rows held out after each epoch.
Curve held_out_curve(const RunReport& r, std::string name, std::string colour, std::size_t metric) {
  const auto point = [&](const EpochPoint& e) { return Point{double(e.step), e.eval[metric]}; };
  return {.name = std::move(name),
          .colour = std::move(colour),
          .points = points_of(r.epochs, point),
          .dots = few(r.epochs)};
}

Markup loss_figure(const RunReport& r) {
  Plot plot = {.title = "Loss", .x_label = "step"};
  constexpr auto kLoss = static_cast<std::size_t>(MetricKind::loss);
  Extent range = extent_of(r.loss);
  for (const EpochPoint& e : r.epochs) range.add(e.eval[kLoss]);
  plot.y_scale = scale_for(range, 30);
  plot.areas.push_back(spread(r.loss, "single batches", "c0"));
  Curve train = {.name = "train", .colour = "c0", .points = {}};
  if (r.epochs.size() > 2) {
    train.points = points_of(r.epochs, [](const EpochPoint& e) { return Point{double(e.step), e.train_loss}; });
    train.dots = few(r.epochs);
  } else {
    train.points = means(r.loss);
  }
  plot.curves.push_back(std::move(train));
  if (!r.held_out.name.empty() || (!r.epochs.empty() && std::isfinite(r.epochs.back().eval[kLoss]))) {
    plot.curves.push_back(held_out_curve(r, "held out", "c1", kLoss));
  }
  // What the best epoch is then chosen by.
  const bool calibrated = from_name<MetricKind>(r.result.metric) == MetricKind::calibrated_loss;
  const auto chosen_by = calibrated ? static_cast<std::size_t>(MetricKind::calibrated_loss) : kLoss;
  if (calibrated) {
    plot.curves.push_back(held_out_curve(r, "held out, calibrated", "c2", chosen_by));
  }
  if (r.best.epoch > 0) {
    plot.marks.push_back(
        {double(r.best.step), r.best.eval[chosen_by], "good", best_title(r.best, r.best.eval[chosen_by]), true});
    plot.keys.emplace_back("good", "best epoch, " + std::to_string(r.best.epoch));
  }
  return figure(plot);
}

Markup metric_figure(const RunReport& r) {
  auto kind = from_name<MetricKind>(r.result.metric).value_or(MetricKind::loss);
  const bool classes = r.result.train.classification || r.held_out.metrics.classification;
  const bool of_values = !r.held_out.name.empty() ? !r.held_out.metrics.classification : !classes;
  if (kind == MetricKind::loss || kind == MetricKind::calibrated_loss)
    kind = of_values ? MetricKind::rmse : MetricKind::accuracy;
  const auto index = static_cast<std::size_t>(kind);
  Plot plot = {.title = std::string(metric_title(kind)) + ", held out", .x_label = "step"};
  plot.title[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(plot.title[0])));
  Extent range;
  for (const EpochPoint& e : r.epochs) range.add(e.eval[index]);
  if (range.empty()) return {};
  plot.y_scale = of_values ? scale_for(range, 30) : Scale::linear;
  plot.curves.push_back(held_out_curve(r, {}, "c1", index));
  if (r.best.epoch > 0) {
    plot.marks.push_back(
        {double(r.best.step), r.best.eval[index], "good", best_title(r.best, r.best.eval[index]), true});
  }
  return figure(plot);
}

Markup rate_figure(const RunReport& r) {
  Plot plot = {.title = "Learning rate", .x_label = "step"};
  plot.y_range.add(0);
  plot.curves.push_back({.name = {}, .colour = "c3", .points = means(r.lr)});
  return figure(plot);
}

Markup norm_figure(const RunReport& r) {
  Plot plot = {.title = "Gradient norm", .x_label = "step", .y_scale = scale_for(extent_of(r.grad_norm), 10)};
  plot.areas.push_back(spread(r.grad_norm, "single steps", "c2"));
  plot.curves.push_back({.name = "mean", .colour = "c2", .points = means(r.grad_norm)});
  return figure(plot);
}

std::string incident_title(const StepRecord& i) {
  std::string text =
      "step " + std::to_string(i.step) + " " + std::string(name(i.outcome)) + ": " + std::string(explain(i.cause));
  if (!i.tensors.empty()) text += " in " + i.tensors.front();
  return text + ", at loss scale " + figure_text(i.loss_scale);
}

Markup scale_figure(const RunReport& r) {
  const Extent range = extent_of(r.loss_scale);
  if (range.empty() || (range.low == range.high && r.incidents.empty())) return {};
  Plot plot = {.title = "Loss scale", .x_label = "step", .y_scale = Scale::log2};
  Curve curve = {.name = {}, .colour = "c6", .points = {}};
  const auto add = [&](std::int64_t step, double scale) {
    if (!curve.points.empty() && scale != curve.points.back().y)
      curve.points.push_back({double(step), curve.points.back().y});
    curve.points.push_back({double(step), scale});
  };
  for (const Sampled::Bucket& b : r.loss_scale.buckets()) {
    add(b.first, b.begin);
    if (b.end != b.begin) add(b.last, b.end);
  }
  if (!r.loss_scale.buckets().empty()) add(r.loss_scale.buckets().back().last, r.loss_scale.buckets().back().end);
  plot.curves.push_back(std::move(curve));
  bool skipped = false, retried = false;
  for (std::size_t i = 0; i < std::min(r.incidents.size(), kMostMarks); ++i) {
    const StepRecord& incident = r.incidents[i];
    const bool skip = incident.outcome == StepOutcome::skipped;
    plot.marks.push_back({double(incident.step), incident.loss_scale, skip ? "bad" : "c1", incident_title(incident)});
    (skip ? skipped : retried) = true;
  }
  if (skipped) plot.keys.emplace_back("bad", "step skipped");
  if (retried) plot.keys.emplace_back("c1", "backward pass run again");
  const std::int64_t more = r.result.steps.skipped + r.result.steps.retried - std::int64_t(plot.marks.size());
  if (more > 0)
    plot.note = "The first " + std::to_string(kMostMarks) + " are marked, " + count_text(more) + " are not.";
  return figure(plot);
}

Markup speed_figure(const RunReport& r) {
  Plot plot = {.title = "Speed, samples/s", .x_label = "step"};
  plot.y_range.add(0);
  plot.curves.push_back({.name = {},
                         .colour = "c5",
                         .points = points_of(r.epochs,
                                             [](const EpochPoint& e) {
                                               return Point{double(e.step), e.samples_per_s};
                                             }),
                         .dots = few(r.epochs)});
  return r.epochs.size() < 2 ? Markup{} : figure(plot);
}

}  // namespace

Markup curves_of(const RunReport& report) {
  if (report.loss.buckets().empty()) return {};
  const Markup figures = loss_figure(report) + metric_figure(report) + rate_figure(report) + norm_figure(report) +
                         scale_figure(report) + speed_figure(report);
  std::string lead = count_text(report.result.steps.attempted) + " steps";
  if (!report.epochs.empty()) lead += " in " + count_text(report.epochs.back().epoch) + " epochs";
  return section("How it went",
                 lead +
                     ". Pale areas reach from the least to the largest of neighbouring steps; a red "
                     "cross at the upper edge is an inf or NaN.",
                 element("div", {{"class", "figures"}}, figures));
}

namespace {

// A scale that is found by trial needs no explanation.
bool is_routine(const Incident& i) { return i.reason == IncidentReason::loss_scale && i.capsule.empty(); }

// Its first line as the head of a table, of the others the first word and the rest.
Markup reason_of(const Incident& incident) {
  Table table = {.head = {}, .kinds = {"", "w"}, .rows = {}};
  const std::string all = text(incident);
  for (std::size_t begin = 0, end = 0; (end = all.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string line = all.substr(begin, end - begin);
    const std::size_t word = line.find_first_not_of(' '), rest = line.find(' ', word);
    if (table.head.empty()) {
      table.head = {"", line};
    } else if (rest != std::string::npos) {
      table.rows.push_back(
          {words(line.substr(word, rest - word)), words(line.substr(line.find_first_not_of(' ', rest)))});
    }
  }
  return table_of(table);
}

}  // namespace

Markup ledger_of(const RunReport& report) {
  const StepCounts& steps = report.result.steps;
  if (steps.skipped + steps.retried == 0) return {};
  Markup list;
  for (const LedgerEntry& entry : report.result.ledger) list += element("li", text(entry));
  Markup reasons;
  for (const Incident& incident : report.result.incidents) {
    if (!is_routine(incident)) reasons += reason_of(incident);
  }
  Table table = {.head = {"step", "what", "why", "began in", "loss scale", "loss"},
                 .kinds = {"n", "", "", "", "n", "n"},
                 .rows = {}};
  constexpr std::size_t kShown = 40;
  for (std::size_t i = 0; i < std::min(report.incidents.size(), kShown); ++i) {
    const StepRecord& r = report.incidents[i];
    table.rows.push_back({words(count_text(r.step)), words(name(r.outcome)), words(explain(r.cause)),
                          words(r.tensors.empty() ? "" : r.tensors.front()), words(figure_text(r.loss_scale)),
                          words(figure_text(r.loss))});
  }
  for (const std::string& action : report.result.recoveries) list += element("li", words(action));
  Markup content = element("ul", {{"class", "notes"}}, list) + reasons + table_of(table);
  const std::int64_t more = steps.skipped + steps.retried - std::int64_t(table.rows.size());
  if (more > 0) content += element("p", {{"class", "note"}}, words("and " + count_text(more) + " more"));
  return section("Steps that were not simply applied",
                 "Where a step began to go wrong, and at which loss scale. A skipped step changes no weight; overflow "
                 "at a large loss scale is routine, and the scale shrinks.",
                 content);
}

}  // namespace halfstep::internal::report
